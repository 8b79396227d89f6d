//! The devices of CubeCL.

use burn::tensor::Device;
use burn_descent_conformance::devices::{self, Entry};

/// Those that are there.
///
/// # Panics
/// If one that `BURN_DESCENT_REQUIRE` names is not.
pub fn gpus() -> Vec<(&'static str, Device)> {
    let required = std::env::var("BURN_DESCENT_REQUIRE").unwrap_or_default();
    let there = |Entry { name, device, on_cpu, .. }| match device {
        Ok(device) if !on_cpu && name != "other" => Some((name, device)),
        Err(reason) if required.split(',').any(|required| required == name) => panic!("{reason}"),
        _ => None,
    };
    devices::all().into_iter().filter_map(there).collect()
}
