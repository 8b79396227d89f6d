//! What the environment asks to be told.

use std::collections::HashSet;
use std::path::PathBuf;

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) launches: u64,
    pub(crate) modules: u64,
    pub(crate) threads: u64,
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    pub(crate) faults: u64,
    /// The numbers of the functions that were launched.
    pub(crate) launched: HashSet<usize>,
}

impl Counters {
    /// In a line.
    pub(crate) fn line(&self) -> String {
        let Self { launches, modules, threads, allocations, bytes, faults, launched } = self;
        let kernels = launched.len();
        format!(
            "ptx emulator: {launches} launches of {kernels} kernels, {modules} modules, {threads} threads, \
             {allocations} allocations of {bytes} bytes, {faults} faults"
        )
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Where the text of each module is written.
    pub(crate) dump: Option<PathBuf>,
    /// Whether the counters are told at the end.
    pub(crate) report: bool,
    /// How many launches run; the others do nothing. All of them, if nothing is said.
    pub(crate) run: Option<u64>,
    /// Whether launches are told.
    pub(crate) trace: bool,
}

impl Wishes {
    /// What the environment asks for.
    pub(crate) fn of_environment() -> Self {
        let set =
            |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        Self {
            dump: std::env::var_os("PTX_EMULATOR_DUMP").map(PathBuf::from),
            report: set("PTX_EMULATOR_REPORT"),
            run: std::env::var("PTX_EMULATOR_NULL").ok().and_then(|count| count.parse().ok()),
            trace: set("PTX_EMULATOR_TRACE"),
        }
    }

    /// Writes the text of a module, if that is asked for: `kernel-hash.ptx`.
    pub(crate) fn dump(&self, ptx: &str) {
        let Some(folder) = &self.dump else { return };
        let entry = ptx.split(".entry").nth(1).unwrap_or_default().trim_start();
        let name = entry.split(|c: char| !(c.is_alphanumeric() || c == '_')).next();
        let name: String = name.unwrap_or_default().chars().take(80).collect();
        // FNV-1a
        let hash = ptx.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        let path = folder.join(format!("{name}-{hash:016x}.ptx"));
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, ptx));
        if let Err(error) = written {
            eprintln!("ptx emulator: {}: {error}", path.display());
        }
    }
}
