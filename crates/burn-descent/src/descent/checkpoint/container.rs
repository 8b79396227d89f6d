//! A checkpoint as bytes: burn's container, with what it lacks: what it is, a version, and a
//! checksum.

use super::{Checkpoint, CheckpointError, file};
use burn::tensor::{Bytes, TensorData};
use burn_pack::{MAGIC_NUMBER, Reader, Tensor, Writer};
use core::ops::Range;
use std::path::Path;

/// The version of the format that is written. Version 1 knows no integers and booleans; versions 1 and 2 number
/// the states of a parameter, version 3 names them.
const VERSION: &str = "3";

/// The versions that are read.
const READ: [&str; 3] = ["1", "2", VERSION];

const FORMAT: &str = "format";
const NAME: &str = "burn-descent checkpoint";
const VERSION_KEY: &str = "version";
const HEADER: &str = "header";
const CHECKSUM: &str = "checksum";

/// Stands before the checksum. No path of a parameter has a colon, and the texts that may have one
/// come behind it.
const MARK: &str = "crc32:";

/// Stands in the place of the checksum while it is computed.
const NO_CHECKSUM: &str = "????????";

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Errors
    /// What burn's container does not take, such as a tensor above its size.
    pub fn into_bytes(self) -> Result<Vec<u8>, CheckpointError> {
        let refused = |error: &dyn core::fmt::Display| CheckpointError::Foreign(error.to_string());
        let header = serde_json::to_string(&self.header).map_err(|error| refused(&error))?;
        let pack = |(name, data): (String, TensorData)| {
            let (dtype, shape) = (data.dtype(), data.shape().clone());
            Tensor::new(name, dtype, shape, None, data.into_bytes())
        };
        let writer = Writer::new(self.tensors.into_iter().map(pack).collect())
            .with_metadata(FORMAT, NAME)
            .with_metadata(VERSION_KEY, VERSION)
            .with_metadata("burn-descent", env!("CARGO_PKG_VERSION"))
            .with_metadata(HEADER, &header)
            .with_metadata(CHECKSUM, &format!("{MARK}{NO_CHECKSUM}"));
        let scalars = self.scalars.into_iter();
        let writer =
            scalars.fold(writer, |writer, (name, scalar)| writer.with_scalar(&name, scalar));
        let mut bytes = writer.into_bytes().map_err(|error| refused(&error))?.to_vec();
        if let Some((checksum, place)) = checksum(&bytes) {
            bytes[place].copy_from_slice(checksum.as_bytes());
        }
        Ok(bytes)
    }

    /// Reads the bytes of a file. Nothing of them is believed: not their lengths, and not their
    /// content before the checksum.
    ///
    /// # Errors
    /// If they are not a checkpoint, of another version, cut off, or changed by as much as a bit.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let foreign = |error: burn_pack::Error| CheckpointError::Foreign(error.to_string());
        let whole = checksum(&bytes).is_some_and(|(sum, place)| bytes[place] == *sum.as_bytes());
        let reader = Reader::from_bytes(Bytes::from_bytes_vec(bytes)).map_err(foreign)?;
        let text = |key: &str| reader.metadata().get(key).map_or("", String::as_str);
        if text(FORMAT) != NAME {
            return Err(CheckpointError::Foreign("it is another burnpack file".into()));
        }
        let found = text(VERSION_KEY);
        if !READ.contains(&found) {
            return Err(CheckpointError::Version { found: found.into(), read: &READ });
        }
        if !whole {
            return Err(CheckpointError::Damaged("its checksum is not that of its bytes".into()));
        }
        let damaged = |error: &dyn core::fmt::Display| CheckpointError::Damaged(error.to_string());
        let header = serde_json::from_str(text(HEADER)).map_err(|error| damaged(&error))?;
        let scalars = reader.scalars().clone();
        let tensors = reader.into_tensors().map_err(|error| damaged(&error))?;
        let tensors = tensors.into_iter().map(unpack).collect::<Result<_, _>>()?;
        Ok(Self { header, scalars, tensors })
    }

    /// Writes the file so that it is there whole or not at all, however the process ends: under
    /// another name, to the disk, and then over an older file. A symbolic link is written through,
    /// and what saves to this path left behind when they were killed is cleaned up.
    ///
    /// # Errors
    /// If it cannot be written, or something is there that is no file, such as a folder or a device;
    /// what was there is there still.
    pub fn save(self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let path = path.as_ref();
        file::write(path, &self.into_bytes()?).map_err(|error| in_file(path, &error))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Those of [`from_bytes`](Self::from_bytes), and if the file cannot be read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let bytes = file::read(path, &MAGIC_NUMBER.to_le_bytes());
        Self::from_bytes(bytes.map_err(|error| in_file(path, &error))?)
    }
}

/// A tensor of a file, copied: what lies in the buffer of the file would keep all of it in memory,
/// and lies wherever the file says.
fn unpack(tensor: Tensor) -> Result<(String, TensorData), CheckpointError> {
    let damaged = |error: &dyn core::fmt::Display| CheckpointError::Damaged(error.to_string());
    let (name, dtype, shape, _, bytes) = tensor.into_parts().map_err(|error| damaged(&error))?;
    let data = TensorData::try_from_bytes_vec(bytes.to_vec(), shape, dtype);
    Ok((name, data.map_err(|error| damaged(&error))?))
}

fn in_file(path: &Path, reason: &dyn core::fmt::Display) -> CheckpointError {
    CheckpointError::File { path: path.display().to_string(), reason: reason.to_string() }
}

/// The checksum of all bytes, with [`NO_CHECKSUM`] for itself, and its place.
fn checksum(bytes: &[u8]) -> Option<(String, Range<usize>)> {
    let mark = bytes.windows(MARK.len()).position(|part| part == MARK.as_bytes())?;
    let start = mark + MARK.len();
    let place = start..start + NO_CHECKSUM.len();
    let after = bytes.get(place.end..)?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[..start]);
    crc.update(NO_CHECKSUM.as_bytes());
    crc.update(after);
    Some((format!("{:08x}", crc.finalize()), place))
}
