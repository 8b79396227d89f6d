//! Files, compressed or not.

use anyhow::{Context, Result, ensure};
use flate2::read::MultiGzDecoder;
use std::fs;
use std::io::Read;
use std::path::Path;

/// What a gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The content of a file, decompressed if it is a gzip file or is called one.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let bytes = if bytes.starts_with(&GZIP) || path.extension().is_some_and(|e| e == "gz") {
        let mut content = Vec::new();
        MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut content)
            .with_context(|| format!("{} is not a whole gzip file", path.display()))?;
        content
    } else {
        bytes
    };
    ensure!(!bytes.is_empty(), "{} is empty", path.display());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn gzip_is_seen_whatever_the_name_and_must_be_whole() {
        let dir = tempfile::tempdir().unwrap();
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(b"a,b\n1,2\n").unwrap();
        let gz = gz.finish().unwrap();
        let read_as = |name, bytes: &[u8]| {
            fs::write(dir.path().join(name), bytes).unwrap();
            read(&dir.path().join(name)).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(read_as("a.csv", &gz).unwrap(), b"a,b\n1,2\n");
        assert!(read_as("a.gz", &gz[..gz.len() - 5]).unwrap_err().contains("not a whole gzip"));
        assert!(read_as("b.gz", b"a,b").unwrap_err().contains("not a whole gzip"));
        assert!(read_as("c.csv", b"").unwrap_err().contains("is empty"));
    }
}
