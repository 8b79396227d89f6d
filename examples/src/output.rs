//! Files that are whole or not there.

use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Finds out, before hours of training, whether something can be written at this path: its folder,
/// or the nearest one above it that there is, must let a file be made.
///
/// # Errors
/// If not, with the reason.
pub fn check_writable(path: &Path) -> Result<()> {
    let path = std::path::absolute(path)?;
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let folder = folder.with_context(|| format!("{} is not a path to write to", path.display()))?;
    ensure!(folder.is_dir(), "cannot write {}: {} is a file", path.display(), folder.display());
    tempfile::tempfile_in(folder).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// Finds out before training whether a file can be written at this path.
///
/// # Errors
/// If not, with the reason.
pub fn check_file(path: &Path) -> Result<()> {
    ensure!(!path.is_dir(), "cannot write {}: it is a folder", path.display());
    ensure!(!path.exists() || path.is_file(), "cannot write {}: it is no file", path.display());
    check_writable(path)
}

/// Finds out whether some of the files that flags name are one file.
///
/// # Errors
/// If so, with the flags.
pub fn check_distinct(files: &[(&str, Option<&Path>)]) -> Result<()> {
    let mut named: Vec<(&str, PathBuf)> = Vec::new();
    for (flag, path) in files.iter().filter_map(|(flag, path)| Some((*flag, (*path)?))) {
        let path = path.canonicalize().or_else(|_| std::path::absolute(path))?;
        if let Some((other, _)) = named.iter().find(|(_, named)| *named == path) {
            bail!("{other} and {flag} name the same file, {}", path.display());
        }
        named.push((flag, path));
    }
    Ok(())
}

/// Makes the folder that a file shall be in.
///
/// # Errors
/// If it cannot be made.
pub fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a file: whole, or not at all. `write` is given the path to write to, which has the
/// extension of the right one.
///
/// # Errors
/// If it cannot be written; what was there is there still.
pub fn write_file(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let path = std::path::absolute(path).with_context(context)?;
    make_folder_of(&path)?;
    // It vanishes with its owner.
    let folder = path.parent().with_context(context)?;
    let workshop = tempfile::Builder::new().prefix(".writing-").tempdir_in(folder);
    let workshop = workshop.with_context(context)?;
    let draft = workshop.path().join(path.file_name().with_context(context)?);
    write(&draft)?;
    fs::rename(&draft, &path).with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_found_out_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check_writable(&dir.path().join("new/folders/plot.svg")).is_ok());
        let error = check_writable(&file.join("plot.svg")).unwrap_err().to_string();
        assert!(error.contains("is a file"), "{error}");
        assert!(check_file(dir.path()).unwrap_err().to_string().contains("it is a folder"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "it leaves nothing behind");
    }

    #[test]
    fn two_flags_do_not_write_one_file() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b] = ["a.csv", "b.csv"].map(|name| dir.path().join(name));
        let check =
            |save, log| check_distinct(&[("--save", save), ("--plot", None), ("--log", log)]);
        assert!(check(Some(&a), Some(&b)).is_ok());
        assert!(check(None, Some(&b)).is_ok());
        let again = dir.path().join("./a.csv");
        let error = check(Some(&a), Some(&again)).unwrap_err().to_string();
        assert!(error.starts_with("--save and --log name the same file"), "{error}");
    }

    #[test]
    fn files_are_replaced_whole_and_failures_leave_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let plot = dir.path().join("a/plot.svg");
        let write = |text: &'static str| write_file(&plot, |draft| Ok(fs::write(draft, text)?));
        write("old").unwrap();
        write("new").unwrap();
        let failed = write_file(&plot, |draft| {
            fs::write(draft, "half")?;
            bail!("failed")
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&plot).unwrap(), b"new");
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }
}
