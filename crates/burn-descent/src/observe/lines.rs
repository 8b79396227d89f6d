//! A file of whole lines, however a run ends.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that grows by whole lines. Errors name it.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) path: PathBuf,
    file: File,
    /// The bytes of its whole lines.
    whole: u64,
}

impl Lines {
    /// A new file, or an old one emptied.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Self::open(path, OpenOptions::new().write(true).create(true).truncate(true))
    }

    /// The file as it is, and a new one if there is none. A last line without an end is cut off: a
    /// killed run has left it.
    pub(super) fn append(path: &Path) -> io::Result<Self> {
        let options = &mut OpenOptions::new();
        let mut lines = Self::open(path, options.read(true).write(true).create(true))?;
        lines.whole = whole_lines(&lines.file).map_err(|error| lines.named(error))?;
        lines.file.set_len(lines.whole).map_err(|error| lines.named(error))?;
        Ok(lines)
    }

    fn open(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        let file = options.open(path).map_err(|error| named(path, error))?;
        Ok(Self { path: path.to_owned(), file, whole: 0 })
    }

    /// Adds lines, each with its end. If that fails on the way, the next ones take their place.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut write = || {
            self.file.seek(SeekFrom::Start(self.whole))?;
            self.file.write_all(lines)
        };
        write().map_err(|error| self.named(error))?;
        self.whole += lines.len() as u64;
        Ok(())
    }

    /// An error with the name of the file.
    pub(super) fn named(&self, error: io::Error) -> io::Error {
        named(&self.path, error)
    }
}

fn named(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The bytes up to the end of the last whole line.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut whole, mut line) = (0, Vec::new());
    loop {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok(whole);
        }
        whole += line.len() as u64;
    }
}
