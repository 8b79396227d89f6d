//! The text in the bytes of a file.

use anyhow::{Result, bail};

/// What files begin with that are no text in UTF-8, what they are, and what to do.
const FOREIGN: [(&[u8], &str, &str); 9] = [
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it by `iconv -f UTF-32 -t UTF-8`"),
    (b"\0\0\xfe\xff", "UTF-32 text", "convert it by `iconv -f UTF-32 -t UTF-8`"),
    (b"\xff\xfe", "UTF-16 text", "convert it by `iconv -f UTF-16 -t UTF-8`"),
    (b"\xfe\xff", "UTF-16 text", "convert it by `iconv -f UTF-16 -t UTF-8`"),
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive", "export it as CSV, or unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "export it as CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"\x89HDF", "an HDF5 file", "export it as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export it as CSV"),
];

/// How much of a file is looked at to find out what it is.
const BEGINNING: usize = 4096;

/// The text of a file in UTF-8, without the mark that it may begin with.
pub(super) fn decode(bytes: &[u8]) -> Result<&str> {
    if let Some((_, what, how)) = FOREIGN.iter().find(|(begin, ..)| bytes.starts_with(begin)) {
        bail!("it is {what}, not text in UTF-8: {how}");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = |at: usize| 1 + bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
        // Letters of ASCII are a byte and a zero there, in one order or the other.
        let beginning = &bytes[..bytes.len().min(BEGINNING)];
        let zeros = |from: usize| beginning.iter().skip(from).step_by(2).filter(|b| **b == 0);
        let most = |zeros: usize| zeros * 2 > beginning.len() / 2;
        for (from, name) in [(0, "UTF-16BE"), (1, "UTF-16LE")] {
            if most(zeros(from).count()) {
                bail!("it is UTF-16 text, not UTF-8: convert it by `iconv -f {name} -t UTF-8`");
            }
        }
        bail!("it is no text: there is a byte 0 in line {}", line(at));
    }
    str::from_utf8(bytes).or_else(|error| {
        let at = error.valid_up_to();
        let byte = bytes[at];
        let name = if byte < 0xa0 { "Windows-1252" } else { "Latin-1 or Windows-1252" };
        let letter = if byte < 0xa0 { String::new() } else { format!(" (`{}`)", char::from(byte)) };
        bail!(
            "it is not UTF-8: there is a byte 0x{byte:02X} in line {}. If it is {name}{letter}, \
             convert it by `iconv -f WINDOWS-1252 -t UTF-8`",
            line(at)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_8_is_read_with_and_without_its_mark() {
        assert_eq!(decode("a,é\n".as_bytes()).unwrap(), "a,é\n");
        assert_eq!(decode(b"\xef\xbb\xbfa,b\n").unwrap(), "a,b\n");
    }

    #[test]
    fn other_encodings_and_files_are_named() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: &[u8]| {
            let text = "a,b\n1,2\n3,4\n".encode_utf16().flat_map(order);
            mark.iter().copied().chain(text).collect::<Vec<u8>>()
        };
        for (bytes, expected) in [
            (utf16(u16::to_le_bytes, b"\xff\xfe"), "iconv -f UTF-16 "),
            (utf16(u16::to_be_bytes, b"\xfe\xff"), "iconv -f UTF-16 "),
            (utf16(u16::to_le_bytes, b""), "iconv -f UTF-16LE "),
            (utf16(u16::to_be_bytes, b""), "iconv -f UTF-16BE "),
            (b"\xff\xfe\0\0a\0\0\0".into(), "UTF-32"),
            (b"x,caf\xe9\n1,2\n".into(), "0xE9 in line 1. If it is Latin-1 or Windows-1252 (`é`)"),
            (b"x,y\n1,\x93a\x94\n".into(), "0x93 in line 2. If it is Windows-1252, "),
            (b"x,y\n1,\0\n".into(), "it is no text: there is a byte 0 in line 2"),
            (b"PK\x03\x04\x14\0".into(), "an Excel workbook"),
            (b"PAR1\x15".into(), "a Parquet file"),
        ] {
            let error = decode(&bytes).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
