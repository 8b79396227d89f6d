//! Every optimizer × every device × every law, named like `adamw/flex/f32/resume`.
//!
//! A device that is not there is one ignored test that says why. `BURN_DESCENT_REQUIRE=wgpu,cuda`
//! makes the absence of these a failure.

use burn_descent::registry::ROWS;
use burn_descent_tests::Subject;
use burn_descent_tests::devices::{self, DTYPES, Entry};
use burn_descent_tests::laws::{LAWS, refusals::hide_expected_panics};
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
    for entry in &devices {
        match &entry.device {
            Ok(device) => trials.extend(laws(entry, device, &devices)),
            Err(reason) => trials
                .push(Trial::test(entry.name, || Ok(())).with_kind(reason).with_ignored_flag(true)),
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

/// Every law that says something of a row on this device.
fn laws(entry: &Entry, device: &burn::tensor::Device, devices: &[Entry]) -> Vec<Trial> {
    let others = devices.iter().filter(|other| other.name != entry.name);
    let others: Vec<_> = others.filter_map(|other| other.device.clone().ok()).collect();
    let mut trials = Vec::new();
    for row in &ROWS {
        for (dtype_name, dtype) in DTYPES {
            if !device.supports_dtype(dtype) {
                continue;
            }
            let (device, others) = (device.clone(), others.clone());
            let subject = Subject { row, device, dtype, on_cpu: entry.on_cpu, others };
            for law in LAWS.iter().filter(|law| (law.applies)(&subject)) {
                let subject = subject.clone();
                let name = format!("{}/{}/{dtype_name}/{}", row.name, entry.name, law.name);
                trials.push(Trial::test(name, move || {
                    (law.check)(&subject);
                    Ok(())
                }));
            }
        }
    }
    trials
}
