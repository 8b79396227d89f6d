//! The record of what the law of golden trajectories has found, in `golden/checked.json`: how many
//! cases of each optimizer agree on which device. The law holds every run to it, and the README reads
//! it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// By device, by optimizer, by precision: the number of cases that agree.
pub type Checked = BTreeMap<String, BTreeMap<String, BTreeMap<String, usize>>>;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/checked.json")
}

/// The record; empty where there is none.
pub fn read() -> Checked {
    let text = std::fs::read_to_string(path()).unwrap_or_else(|_| "{}".into());
    serde_json::from_str(&text).expect("golden/checked.json is a record")
}

/// Are the tables of the documentation, and the record, to be written anew?
pub fn blessing() -> bool {
    std::env::var_os("BURN_DESCENT_BLESS").is_some()
}

/// Holds a number of cases against the record, or writes it down. A device that the record does not
/// know, such as one that the machine of its writer did not have, is held to none.
///
/// # Panics
/// If the record says something else.
pub fn confirm(device: &str, optimizer: &str, precision: &str, agree: usize) {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut checked = read();
    if !blessing() && !checked.contains_key(device) {
        return;
    }
    let of_device = checked.entry(device.into()).or_default();
    let of_optimizer = of_device.entry(optimizer.into()).or_default();
    let recorded = of_optimizer.entry(precision.into()).or_default();
    if blessing() {
        *recorded = agree;
        let text = serde_json::to_string_pretty(&checked).expect("names and numbers");
        std::fs::write(path(), text + "\n").expect("written");
        return;
    }
    let recorded = *recorded;
    drop(alone);
    assert!(
        recorded == agree,
        "{agree} cases agree, the record says {recorded}; if that is right, run\n\
         BURN_DESCENT_BLESS=1 cargo test --test conformance -- golden"
    );
}
