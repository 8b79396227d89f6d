//! Files that were cut off, flipped, or made to deceive.

use crate::{Net, builder, file};
use burn_descent::Checkpoint;
use burn_descent_tests::allocation;
use proptest::prelude::*;

#[test]
fn a_file_that_was_cut_off_is_refused() {
    let file = file();
    for length in 0..file.len() {
        assert!(Checkpoint::from_bytes(file[..length].to_vec()).is_err(), "{length} bytes");
    }
}

#[test]
fn a_flipped_bit_is_found() {
    let file = file();
    for bit in 0..8 * file.len() {
        let mut flipped = file.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(Checkpoint::from_bytes(flipped).is_err(), "bit {bit}");
    }
}

/// The bytes with the right checksum.
pub(crate) fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    if let Some(mark) = file.windows(6).position(|window| window == b"crc32:")
        && mark + 14 <= file.len()
    {
        file[mark + 6..mark + 14].copy_from_slice(b"????????");
        let checksum = format!("{:08x}", crc32fast::hash(&file));
        file[mark + 6..mark + 14].copy_from_slice(checksum.as_bytes());
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever was done to a file by somebody who knows the checksum: nothing panics, nothing
    /// hangs, and a walk that refuses it is as it was.
    #[test]
    fn no_file_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut file = FILE.with(Vec::clone);
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let net = Net::of(3);
        let mut descent = builder().build(&net).expect("it fits");
        let (file, held) = (with_checksum(file), FILE.with(Vec::len));
        let (checkpoint, largest) = allocation::largest(|| Checkpoint::from_bytes(file));
        prop_assert!(largest <= 4 * held + CLAIMED, "{} bytes for a file of {}", largest, held);
        if let Ok(checkpoint) = checkpoint {
            match checkpoint.clone().restore(&mut descent, &net) {
                Ok(net) => {
                    let gradients = net.gradients(1);
                    prop_assert!(descent.step(net, gradients).is_ok());
                }
                Err(_) => prop_assert_eq!(descent.steps(), 0),
            }
            let _ = checkpoint.restore_what_fits(&mut descent, &net);
        }
    }

    /// Nor do bytes that never were a checkpoint.
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut file = b"NRUB\x01\x00".to_vec();
        file.extend(&bytes);
        prop_assert!(Checkpoint::from_bytes(bytes).is_err());
        let (checkpoint, largest) = allocation::largest(|| Checkpoint::from_bytes(file));
        prop_assert!(checkpoint.is_err() && largest <= CLAIMED, "{} bytes", largest);
    }
}

/// Serde believes a length that is only claimed as far as 1 MiB.
const CLAIMED: usize = 1 << 20;

thread_local! {
    static FILE: Vec<u8> = file();
}
