//! Checkpoints that know whether they are whole.

use super::folder::{CHECKPOINTS, checkpoint};
use anyhow::{Context, Result, ensure};
use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError, FileCheckpointer};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// burn's checkpoints with a checksum beside each: a burnpack file has none.
pub(super) struct Checked {
    files: FileCheckpointer,
    folder: PathBuf,
    what: &'static str,
}

impl Checked {
    /// Of what is so called, in the folder of a run.
    pub(super) fn new(folder: &Path, what: &'static str) -> Self {
        let files = FileCheckpointer::new(folder.join(CHECKPOINTS), what);
        Self { files, folder: folder.into(), what }
    }

    fn path(&self, epoch: usize) -> PathBuf {
        checkpoint(&self.folder, self.what, epoch as u64)
    }

    /// Where a file is until it is whole and its checksum is known. What a killed run left there is
    /// of no use.
    fn scratch(&self) -> io::Result<PathBuf> {
        let folder = self.folder.join(CHECKPOINTS).join(format!(".saving-{}", self.what));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Puts a file that was written elsewhere in its place. Whenever the process ends, the checksum
    /// of what is there is beside it: with that of the file to come, until it is there.
    fn put(&self, epoch: usize, scratch: &Path) -> io::Result<()> {
        let path = self.path(epoch);
        let file = scratch.join(path.file_name().unwrap_or_default());
        let (old, new) = (if path.exists() { sum(&path)? } else { String::new() }, sum(&file)?);
        let write = |sums: &str| {
            let whole = scratch.join("sums");
            fs::write(&whole, sums)?;
            fs::File::options().write(true).open(&whole)?.sync_all()?;
            fs::rename(&whole, place(&path))
        };
        write(&format!("{old}{new}"))?;
        fs::rename(&file, &path)?;
        write(&new)?;
        fs::remove_dir_all(scratch)
    }
}

impl<R: Checkpoint> Checkpointer<R> for Checked {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let scratch = self.scratch().map_err(CheckpointerError::IOError)?;
        FileCheckpointer::new(scratch.clone(), self.what).save(epoch, record)?;
        self.put(epoch, &scratch).map_err(CheckpointerError::IOError)
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        Checkpointer::<R>::delete(&self.files, epoch)?;
        match fs::remove_file(place(&self.path(epoch))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        self.files.restore(epoch)
    }
}

/// Finds out whether a checkpoint is as it was saved.
pub(super) fn check(path: &Path) -> Result<()> {
    let (name, place) = (path.display(), place(path));
    let saved = fs::read_to_string(&place)
        .with_context(|| format!("{} cannot be read", place.display()))?;
    let found = sum(path).with_context(|| format!("{name} cannot be read"))?;
    ensure!(
        saved.lines().any(|saved| saved == found.trim()),
        "{name} is damaged: its checksum is {}, it was {}",
        found.trim(),
        saved.trim()
    );
    Ok(())
}

/// Where the checksum of a file is.
fn place(path: &Path) -> PathBuf {
    path.with_extension("crc32")
}

/// A line with the CRC-32 of a file.
fn sum(path: &Path) -> io::Result<String> {
    let mut file = flate2::CrcReader::new(fs::File::open(path)?);
    io::copy(&mut file, &mut io::sink())?;
    Ok(format!("{:08x}\n", file.crc().sum()))
}
