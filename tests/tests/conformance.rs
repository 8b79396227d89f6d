//! Optimizers × devices × laws, named like `adamw/flex/f32/resume`, and the norm of all gradients on
//! every device, `norm/flex/f32`.
//!
//! [What can differ](burn_descent_tests::selection) is held; `BURN_DESCENT_ALL=1` holds every law of
//! every optimizer on every device.
//!
//! Thousands of cases are shown as dots, with how many are left now and then; `-- --format pretty` names each. A device that
//! is not there is one ignored test that says why. `BURN_DESCENT_REQUIRE=wgpu,cuda`
//! makes the absence of these a failure.

use burn_descent::registry::ROWS;
use burn_descent_conformance::devices::{self, DTYPES, Entry};
use burn_descent_conformance::{Candidate, LAWS, cases, hide_expected_panics};
use burn_descent_tests::golden::GOLDEN;
use burn_descent_tests::norm;
use burn_descent_tests::progress::Progress;
use burn_descent_tests::selection::Selection;
use libtest_mimic::{Arguments, Failed, FormatSetting, Trial};
use std::sync::Arc;

/// More lines than this would hide the one that matters.
const MANY: usize = 1000;

fn main() {
    let mut arguments = Arguments::from_args();
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
        eprintln!("{} is left out: {reason}", entry.name);
        Some(Trial::test(entry.name, || Ok(())).with_kind(reason).with_ignored_flag(true))
    };
    trials.extend(devices.iter().filter_map(absent));
    let selection = Selection::of_environment(&devices);
    let (mut held, mut of) = (Vec::new(), 0);
    for candidate in ROWS.iter().map(Candidate::of_row) {
        let cases = [GOLDEN, LAWS].into_iter().flat_map(|laws| cases(&candidate, laws, &devices));
        for case in cases.filter(|case| is_asked_for(&arguments, &case.name)) {
            of += 1;
            if selection.holds(&case) {
                held.push(case);
            }
        }
    }
    eprintln!("{} of {of} cases: {selection}", held.len());
    let progress = Arc::new(Progress::new(held.len()));
    trials.extend(held.into_iter().map(|case| {
        let progress = progress.clone();
        Trial::test(case.name.clone(), move || {
            case.run();
            progress.one_more();
            Ok(())
        })
    }));
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
    if trials.len() > MANY {
        arguments.format.get_or_insert(FormatSetting::Terse);
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// Do the filters of the command line leave it?
fn is_asked_for(arguments: &Arguments, name: &str) -> bool {
    let matches =
        |filter: &String| if arguments.exact { name == filter } else { name.contains(filter) };
    arguments.filter.iter().all(matches) && !arguments.skip.iter().any(matches)
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
