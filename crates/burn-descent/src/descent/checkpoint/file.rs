//! A file that is there whole or not at all, however the process ends.

use burn_pack::{AtomicFile, Error, HEADER_SIZE};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Writes a file under another name, to the disk, and then over an older file. A symbolic link is
/// written through; a folder, or anything else that is no file, is refused.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let path = &destination(path).map_err(|error| error.to_string())?;
    clean(path);
    let write = || -> Result<(), Error> {
        let (scratch, mut file) = scratch(path)?;
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        written.map_err(|error| Error::IoError(error.to_string()))?;
        scratch.commit()
    };
    write().map_err(|error| error.to_string())
}

/// Reads a file, and nothing that is none: a device never ends. Of a file that does not begin like this, which may
/// be of any size, no more than a header is read.
pub(super) fn read(path: &Path, begin: &[u8]) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(no_file(&found));
    }
    let (mut file, mut bytes) = (File::open(path)?, Vec::new());
    Read::by_ref(&mut file).take(HEADER_SIZE as u64).read_to_end(&mut bytes)?;
    if bytes.starts_with(begin) {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn no_file(found: &fs::Metadata) -> io::Error {
    let what = if found.is_dir() { "it is a folder" } else { "it is a device, a pipe or a socket" };
    io::Error::other(format!("{what}, and a checkpoint is a file"))
}

/// Where to write: where the links of a path lead, whether something is there or not.
fn destination(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => return fs::canonicalize(path),
        Ok(found) => return Err(no_file(&found)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // The path leads nowhere: that ends, or `metadata` would have found the circle.
    let mut path = path.to_path_buf();
    while let Ok(next) = fs::read_link(&path) {
        path = path.parent().unwrap_or(Path::new("")).join(next);
    }
    Ok(path)
}

/// A scratch file beside the destination, locked as long as its handle lives: so others know that
/// somebody writes to it, and the system forgets it with the process.
fn scratch(destination: &Path) -> Result<(AtomicFile, File), Error> {
    loop {
        let (scratch, file) = AtomicFile::create(destination)?;
        // Where there are no locks, nothing is cleaned up either.
        let _ = file.lock();
        // Before the lock it was nobody's, and may have been cleaned up.
        if scratch.path().exists() {
            return Ok((scratch, file));
        }
    }
}

/// Removes the scratch files of this destination that processes left behind when they were killed.
/// What cannot be removed stays: the save does not need it.
fn clean(destination: &Path) {
    let folder = destination.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(folder.unwrap_or(Path::new(".")));
    for entry in entries.into_iter().flatten().flatten() {
        if is_left_behind(&entry.path(), destination) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Is this a scratch file of the destination that nobody writes to?
fn is_left_behind(path: &Path, destination: &Path) -> bool {
    let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
    let writer = || -> Option<u32> {
        let (path, destination) = (name(path)?, name(destination)?);
        let number = path.strip_prefix(&destination)?.strip_prefix('.')?.strip_suffix(".tmp")?;
        let (process, count) = number.split_once('-')?;
        count.parse::<u64>().ok()?;
        process.parse().ok()
    };
    let Some(writer) = writer() else { return false };
    // The number of a process that was killed is often that of the one that goes on.
    let another_lives =
        writer != std::process::id() && Path::new(&format!("/proc/{writer}")).exists();
    let is_file = || fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let unlocked = || File::open(path).is_ok_and(|file| file.try_lock().is_ok());
    !another_lives && is_file() && unlocked()
}
