//! Data files that are damaged, or never were any: they are refused, or read, and nothing panics.

use burn_descent_examples::data::{Layout, Source};
use burn_descent_examples::task::Task;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::fs;
use std::path::Path;

/// The files that are known to be hard; each is changed at random too.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/corpus");

fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(Path::new(CORPUS).join(kind)).expect("the corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| fs::read(path).expect("a file")).collect()
}

/// A file of the corpus with some bytes changed, taken out or put in, or any bytes.
fn bytes(kind: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let changes = prop::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 0..12);
    let changed = (select(corpus(kind)), changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, how) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ => drop(bytes.drain(at..(at + usize::from(byte % 9)).min(bytes.len()))),
            }
        }
        bytes
    });
    prop_oneof![6 => changed, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

/// As many as CI has time for, or as are asked for.
fn cases() -> u32 {
    let asked = std::env::var("BURN_DESCENT_CASES").ok();
    asked.map_or(1500, |cases| cases.parse().expect("a number of files"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_table_panics(bytes in bytes("csv"), no_header in any::<bool>(), regression in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("table.csv");
        fs::write(&path, &bytes).expect("it can be written");
        let layout = Layout { no_header, ..Layout::default() };
        let target = if no_header { "2" } else { "y" }.to_owned();
        let source = Source::Table { path, target, drop: Vec::new(), features: Vec::new(), layout };
        let task = if regression { Task::Regression } else { Task::Classification };
        if let Ok(data) = source.load(task, 1) {
            let [inputs, targets] = data.widths();
            prop_assert!(inputs > 0 && targets > 0 && !data.train.inputs.values.is_empty());
            let numbers = data.train.inputs.values.iter().chain(&data.test.targets.values);
            prop_assert!(numbers.clone().all(|x| x.is_finite()), "what is no number was let in");
        }
    }

    #[test]
    fn no_images_panic(images in bytes("idx"), labels in bytes("idx")) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("train-images-idx3-ubyte"), images).expect("it can be written");
        fs::write(folder.path().join("train-labels-idx1-ubyte"), labels).expect("it can be written");
        let source = Source::Images { path: folder.path().into() };
        if let Ok(data) = source.load(Task::Classification, 1) {
            prop_assert!(!data.train.inputs.values.is_empty());
        }
    }
}
