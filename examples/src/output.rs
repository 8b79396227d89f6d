//! Files that are whole or not there.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

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

/// A folder beside a path, in which to prepare what shall be there; it vanishes with its owner.
fn workshop(path: &Path) -> Result<(PathBuf, TempDir)> {
    let context = || format!("cannot write {}", path.display());
    let path = std::path::absolute(path).with_context(context)?;
    let folder = path.parent().with_context(context)?;
    fs::create_dir_all(folder).with_context(context)?;
    let workshop = tempfile::Builder::new().prefix(".writing-").tempdir_in(folder);
    Ok((path.clone(), workshop.with_context(context)?))
}

/// Writes a file: whole, or not at all. `write` is given the path to write to, which has the
/// extension of the right one.
///
/// # Errors
/// If it cannot be written; what was there is there still.
pub fn write_file(path: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let (path, workshop) = workshop(path)?;
    let draft = workshop.path().join(path.file_name().with_context(context)?);
    write(&draft)?;
    fs::rename(&draft, &path).with_context(context)
}

/// Writes a folder of files: whole, or not at all. A folder that was there is replaced.
///
/// # Errors
/// If it cannot be written; what was there is there still.
pub fn write_folder(path: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let (path, workshop) = workshop(path)?;
    let (draft, old) = (workshop.path().join("new"), workshop.path().join("old"));
    fs::create_dir(&draft).with_context(context)?;
    for (name, bytes) in files {
        let mut file = fs::File::create(draft.join(name)).with_context(context)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).with_context(context)?;
    }
    let replaced = path.exists();
    if replaced {
        fs::rename(&path, &old).with_context(context)?;
    }
    let renamed = fs::rename(&draft, &path);
    if renamed.is_err() && replaced && fs::rename(&old, &path).is_err() {
        // Nothing can be put in its place any more: at least keep the old one where it is.
        let kept = workshop.keep();
        return renamed
            .with_context(|| format!("{}; the old one is in {}", context(), kept.display()));
    }
    renamed.with_context(context)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn what_cannot_be_written_is_found_out_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(check_writable(&dir.path().join("new/folders/plot.svg")).is_ok());
        let error = check_writable(&file.join("plot.svg")).unwrap_err().to_string();
        assert!(error.contains("is a file"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "it leaves nothing behind");
    }

    #[test]
    fn folders_are_replaced_whole_and_failures_leave_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let save = dir.path().join("a/save");
        write_folder(&save, &[("one", b"1"), ("two", b"2")]).unwrap();
        write_folder(&save, &[("one", b"new")]).unwrap();
        assert_eq!(fs::read(save.join("one")).unwrap(), b"new");
        assert!(!save.join("two").exists());
        assert!(write_folder(&save, &[("no/such/folder", b"")]).is_err());
        assert_eq!(fs::read(save.join("one")).unwrap(), b"new");

        let plot = dir.path().join("a/plot.svg");
        let failed = write_file(&plot, |draft| {
            fs::write(draft, "half")?;
            bail!("failed")
        });
        assert!(failed.is_err() && !plot.exists());
        assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1);
    }
}
