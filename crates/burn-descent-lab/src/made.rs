//! How something was found: by which command of which version, and where.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::thread::available_parallelism;

/// How something was found. The program fills it in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The command that finds it again.
    pub command: String,
    /// The version of burn-descent.
    pub version: String,
    /// The processor, how many threads it has, and the operating system.
    pub machine: String,
}

impl Made {
    /// By a command of this program, on this machine.
    pub fn here(command: String) -> Self {
        Self { command, version: env!("CARGO_PKG_VERSION").into(), machine: machine() }
    }

    /// What results.json says of it: all but the command, so that the same results are the same.
    pub(crate) fn json(&self) -> Value {
        json!({ "version": self.version, "machine": self.machine })
    }
}

fn machine() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or(std::env::consts::ARCH, |(_, name)| name.trim());
    let threads = available_parallelism().map_or(1, |threads| threads.get());
    let s = if threads == 1 { "" } else { "s" };
    format!("{model}, {threads} thread{s}, {}", std::env::consts::OS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_machine_are_said() {
        let made = Made::here("lab".into());
        assert!(made.version.contains('.') && made.machine.contains(" thread"), "{made:?}");
        assert_eq!(made.json()["machine"], made.machine);
    }
}
