//! burn-optim's optimizers go where ours go, with the options that the table of the book says.

use burn::tensor::Device;
use burn_descent_golden::{LIBRARIES, Ours, Precision, setting};
use burn_descent_tests::burns::{LIBRARY, all};
use burn_descent_tests::replayer::{Engine, replay_on};

/// burn-optim keeps its options and computes in f32. Here all is f64.
const TOLERANCE: f64 = 2e-4;

#[test]
fn every_configuration_goes_the_same_way() {
    for burns in all() {
        let file = burns.file();
        for value in &burns.values {
            let case = burns.case(value);
            let ours = setting(&file, &case).unwrap_or_else(|skip| panic!("{}: {skip}", case.id));
            let device = Device::default();
            let outcome = replay_on(&device, Engine::Own, Precision::F64, &case, &ours)
                .unwrap_or_else(|error| panic!("{}: {error}", case.id));
            assert!(
                outcome.max_movement_error < TOLERANCE,
                "{}: {} is off by {} of its way in step {}",
                case.id,
                ours.name,
                outcome.max_movement_error,
                outcome.step
            );
        }
    }
}

#[test]
fn no_configuration_is_left_out() {
    let (_, rows) = LIBRARIES.iter().find(|(library, _)| *library == LIBRARY).expect("a library");
    let same = rows.iter().filter(|row| matches!(row.ours, Ours::Is { .. }));
    let same: Vec<_> = same.map(|row| row.optimizer).collect();
    assert_eq!(same, all().iter().map(|burns| burns.config).collect::<Vec<_>>());
}
