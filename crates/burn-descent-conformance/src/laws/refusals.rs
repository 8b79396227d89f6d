//! What is refused, with a message that says what to do.

use crate::Subject;
use crate::refusal::refusal;
use crate::subject::{advance, step};
use burn::optim::Optimizer;
use burn_descent::StepError;

/// Every numeric option refuses NaN, infinities and what is out of its range, by its name.
pub(crate) fn options(subject: &Subject) {
    let name = subject.name();
    for (option, default) in subject.optimizer().options() {
        let bad: &[&str] = match default.as_str() {
            "true" | "false" => &["1.5", "yes", ""],
            _ => &["NaN", "inf", "-inf", "-0.1", "1e400", "ten", ""],
        };
        // What may be less than 0 may be any number.
        let any = subject.optimizer().with(&[(option, "-1e9")]).is_ok();
        for value in bad.iter().filter(|value| !any || **value != "-0.1") {
            let error = subject.optimizer().with(&[(option, value)]).expect_err("a bad value");
            let text = error.to_string();
            assert!(text.starts_with(&format!("{name}: {option} = {value} is not ")), "{text}");
        }
        let typo = format!("{option}x");
        let text = subject.optimizer().with(&[(&typo, "0.5")]).expect_err("no option").to_string();
        assert!(text.contains(&format!("did you mean `{option}`?")), "{text}");
    }
}

/// A learning rate that is negative, NaN or infinite: an error from ours, a panic from burn's.
pub(crate) fn learning_rate(subject: &Subject) {
    let optimizer = subject.optimizer();
    let tensor = || subject.tensor::<1>(1, [3]);
    let start = || optimizer.start(&tensor());
    for lr in [-0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = advance(&optimizer, lr, tensor(), tensor(), start()).expect_err("a bad rate");
        assert!(matches!(error, StepError::LearningRate(_)), "{error}");
        let expected = format!("{}: lr = {lr} is not allowed", subject.name());
        assert!(error.to_string().starts_with(&expected), "{error}");
        if optimizer.steps_alone() {
            let first = optimizer.try_step(lr, tensor(), tensor(), None).expect_err("a bad rate");
            assert_eq!(first, error);
            let panic = refusal(|| Optimizer::step(&optimizer, lr, tensor(), tensor(), None));
            assert_eq!(panic, error.to_string());
        }
    }
    advance(&optimizer, 0.0, tensor(), tensor(), start())
        .expect("a rate of 0 is a warm-up's first");
}

/// A gradient or a state of another shape.
pub(crate) fn shapes(subject: &Subject) {
    let optimizer = subject.optimizer();
    let tensor = |len| subject.tensor::<1>(1, [len]);
    let error = advance(&optimizer, 0.1, tensor(3), tensor(4), optimizer.start(&tensor(3)));
    let error = error.expect_err("a bad gradient");
    assert!(matches!(error, StepError::GradientShape { .. }), "{error}");
    let state = step(&optimizer, 0.1, tensor(4), tensor(4), None).1;
    let has_shape = state.tensors().iter().any(|state| state.num_elements() > 1);
    let stepped = advance(&optimizer, 0.1, tensor(3), tensor(3), state);
    match has_shape {
        false => drop(stepped.expect("there is nothing to have a shape")),
        true => {
            let error = stepped.expect_err("a bad state");
            assert!(matches!(error, StepError::StateShape { .. }), "{error}");
        }
    }
}

/// burn's walk shows a parameter and its gradient: a rule that needs more says so, and changes nothing.
pub(crate) fn not_alone(subject: &Subject) {
    let optimizer = subject.optimizer();
    let tensor = || subject.tensor::<1>(1, [3]);
    let error = optimizer.try_step(0.1, tensor(), tensor(), None).expect_err("it needs more");
    let text = error.to_string();
    assert!(matches!(error, StepError::NeedsModel { .. } | StepError::NeedsLoss { .. }), "{text}");
    assert!(text.starts_with(subject.name()) && text.contains("use Descent"), "{text}");
    let panic = refusal(|| Optimizer::step(&optimizer, 0.1, tensor(), tensor(), None));
    assert_eq!(panic, text);
}
