//! Every law on every device in every precision.

use crate::devices::{self, DTYPES, Entry};
use crate::{Candidate, LAWS, Law, Subject, engines_agree_with_slices, hide_expected_panics};
use burn_descent::Rule;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A law on a device.
pub struct Case {
    /// Its name: `adamw/flex/f32/resume`.
    pub name: String,
    /// The law.
    pub law: &'static Law,
    /// What it is held against.
    pub subject: Subject,
}

impl Case {
    /// Panics where the law is broken.
    pub fn run(&self) {
        (self.law.check)(&self.subject);
    }
}

/// Every one of these laws that says something of the candidate, on each of these devices that is
/// there.
pub fn cases(candidate: &Candidate, laws: &'static [Law], devices: &[Entry]) -> Vec<Case> {
    let mut cases = Vec::new();
    for entry in devices {
        let Ok(device) = &entry.device else { continue };
        let others = devices.iter().filter(|other| other.name != entry.name);
        let there = |other: &Entry| Some((other.device.clone().ok()?, other.exactness));
        let others: Vec<_> = others.filter_map(there).collect();
        for (dtype_name, dtype) in DTYPES.into_iter().filter(|(_, d)| device.supports_dtype(*d)) {
            let (candidate, device, others) = (candidate.clone(), device.clone(), others.clone());
            let (device_name, on_cpu, exactness) = (entry.name, entry.on_cpu, entry.exactness);
            let subject =
                Subject { candidate, device, device_name, dtype, on_cpu, exactness, others };
            cases.extend(laws.iter().filter(|law| (law.applies)(&subject)).map(|law| Case {
                name: format!("{}/{}/{dtype_name}/{}", subject.name(), entry.name, law.name),
                law,
                subject: subject.clone(),
            }));
        }
    }
    cases
}

/// Holds a rule to all laws on every device that is compiled in and there. `lr` is a learning rate
/// with which it descends.
///
/// # Panics
/// With every law that it breaks.
pub fn check<U: Rule>(rule: U, lr: f64) {
    static HIDE: Once = Once::new();
    HIDE.call_once(hide_expected_panics);
    let candidate = Candidate::of(&rule, lr).unwrap_or_else(|error| panic!("{error}"));
    let cases = cases(&candidate, LAWS, &devices::all());
    assert!(!cases.is_empty(), "no device is compiled in: see the features of this crate");
    engines_agree_with_slices(&rule);
    let broken = cases.iter().filter(|case| catch_unwind(AssertUnwindSafe(|| case.run())).is_err());
    let broken: Vec<&str> = broken.map(|case| case.name.as_str()).collect();
    assert!(broken.is_empty(), "broken laws, each explained above: {}", broken.join(", "));
}
