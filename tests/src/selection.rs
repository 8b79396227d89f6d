//! Which cases of the suite are held: those that can differ, or, by `BURN_DESCENT_ALL=1`, all.
//!
//! A law [about a rule](About::Rule) is held for every rule on one device, in f32 and f64. All laws are
//! held for [representative](representatives) rules, on every device in every precision.

use crate::checked::blessing;
use crate::features::representatives;
use burn::tensor::DType;
use burn_descent::registry::ROWS;
use burn_descent_conformance::devices::Entry;
use burn_descent_conformance::{About, Case};
use std::collections::BTreeSet;
use std::fmt;

/// Which cases are held.
pub enum Selection {
    /// All of them.
    All,
    /// Those that can differ.
    Some {
        /// The rules that are held to every law everywhere.
        representatives: BTreeSet<&'static str>,
        /// The device on which all rules are held to the laws about rules.
        device: Option<&'static str>,
    },
}

impl Selection {
    /// What the environment asks for. Who writes the record of golden trajectories anew needs all.
    pub fn of_environment(devices: &[Entry]) -> Self {
        let all =
            std::env::var("BURN_DESCENT_ALL").is_ok_and(|value| !["", "0"].contains(&&*value));
        if all || blessing() { Self::All } else { Self::what_can_differ(devices) }
    }

    /// Representative rules everywhere, all rules on the first device that is there.
    pub fn what_can_differ(devices: &[Entry]) -> Self {
        let first = devices.iter().find(|entry| entry.device.is_ok());
        Self::Some { representatives: representatives(ROWS), device: first.map(|entry| entry.name) }
    }

    /// Is the case held?
    pub fn holds(&self, case: &Case) -> bool {
        let Self::Some { representatives, device } = self else { return true };
        let subject = &case.subject;
        let formula = case.law.about == About::Rule
            && *device == Some(subject.device_name)
            && matches!(subject.dtype, DType::F32 | DType::F64);
        formula || representatives.contains(subject.name())
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Some { representatives, device } = self else { return f.write_str("all cases") };
        let names: Vec<&str> = representatives.iter().copied().collect();
        write!(
            f,
            "every law of {} on every device, the laws about rules of all {} on {}; \
             BURN_DESCENT_ALL=1 holds all",
            names.join(", "),
            ROWS.len(),
            device.unwrap_or("none"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::features;
    use crate::golden::GOLDEN;
    use burn_descent_conformance::{Candidate, LAWS, cases, devices};

    #[test]
    fn representatives_have_every_feature() {
        let chosen = representatives(ROWS);
        let of = |names: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
            ROWS.iter().filter(|row| names(row.name)).flat_map(features).collect()
        };
        assert_eq!(of(&|name| chosen.contains(name)), of(&|_| true));
        assert!(chosen.len() < ROWS.len() / 2, "{chosen:?}");
    }

    #[test]
    fn no_rule_is_left_out_and_no_law_on_any_device() {
        let devices = devices::all();
        let selection = Selection::what_can_differ(&devices);
        let mut left_out = 0;
        let (mut laws_on_devices, mut all_on_devices) = (BTreeSet::new(), BTreeSet::new());
        for candidate in ROWS.iter().map(Candidate::of_row) {
            let all: Vec<Case> = [GOLDEN, LAWS]
                .into_iter()
                .flat_map(|laws| cases(&candidate, laws, &devices))
                .collect();
            let held: Vec<&Case> = all.iter().filter(|case| selection.holds(case)).collect();
            left_out += all.len() - held.len();
            let of_rule = |case: &&&Case| case.law.about == About::Rule;
            let formulas: BTreeSet<_> =
                held.iter().filter(of_rule).map(|case| case.law.name).collect();
            // What applies to it: a rule that does not step alone is held to other laws.
            let of_rules = all.iter().filter(|case| case.law.about == About::Rule);
            let expected: BTreeSet<_> = of_rules.map(|case| case.law.name).collect();
            assert_eq!(formulas, expected, "{}", candidate.optimizer.name());
            assert!(expected.len() >= 9, "{}: {expected:?}", candidate.optimizer.name());
            let place = |case: &Case| case.name.split_once('/').expect("a path").1.to_owned();
            laws_on_devices.extend(held.into_iter().map(place));
            all_on_devices.extend(all.iter().map(place));
        }
        assert_eq!(laws_on_devices, all_on_devices);
        assert!(left_out > 0);
    }
}
