//! Every optimizer × every device × every law, named like `adamw/flex/f32/resume`, and the norm of
//! all gradients on every device, `norm/flex/f32`.
//!
//! A device that is not there is one ignored test that says why. `BURN_DESCENT_REQUIRE=wgpu,cuda`
//! makes the absence of these a failure.

use burn_descent::registry::ROWS;
use burn_descent_conformance::devices::{self, DTYPES, Entry};
use burn_descent_conformance::{Candidate, LAWS, cases, hide_expected_panics};
use burn_descent_tests::golden::GOLDEN;
use burn_descent_tests::norm;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let devices = devices::all();
    hide_expected_panics();
    let required = std::env::var("BURN_DESCENT_REQUIRE").unwrap_or_default();
    let mut trials: Vec<Trial> = required
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| is_there(name.to_owned(), &devices))
        .collect();
    let absent = |entry: &Entry| {
        let reason = entry.device.as_ref().err()?;
        Some(Trial::test(entry.name, || Ok(())).with_kind(reason).with_ignored_flag(true))
    };
    trials.extend(devices.iter().filter_map(absent));
    for candidate in ROWS.iter().map(Candidate::of_row) {
        let cases = [GOLDEN, LAWS].into_iter().flat_map(|laws| cases(&candidate, laws, &devices));
        trials.extend(cases.map(|case| {
            Trial::test(case.name.clone(), move || {
                case.run();
                Ok(())
            })
        }));
    }
    for (entry, (precision, dtype)) in
        devices.iter().flat_map(|entry| DTYPES.map(|precision| (entry, precision)))
    {
        if let Ok(device) = entry.device.clone()
            && device.supports_dtype(dtype)
        {
            trials.push(Trial::test(format!("norm/{}/{precision}", entry.name), move || {
                norm::check(&device, dtype);
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The device that the environment requires.
fn is_there(name: String, devices: &[Entry]) -> Trial {
    let found = match devices.iter().find(|entry| entry.name == name) {
        Some(Entry { device: Ok(_), .. }) => Ok(()),
        Some(Entry { device: Err(reason), .. }) => Err(Failed::from(reason)),
        None => Err(Failed::from(format!("BURN_DESCENT_REQUIRE: there is no device `{name}`"))),
    };
    Trial::test(format!("required/{name}"), move || found)
}
