//! What is saved is what is loaded.

use super::descent::Line;
use crate::Subject;
use crate::devices::Exactness;
use crate::refusal::refusal;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use burn_descent::{Adafactor, Adam, AdamW, Build, Sgd};

/// Saved, loaded and gone on is never stopped, bit for bit.
pub(crate) fn resume(subject: &Subject) {
    let variants = subject.variants().into_iter();
    // What looks at the whole model is no optimizer for burn's walk; `walk_resume` stops and resumes it.
    for (variant, optimizer) in variants.filter(|(_, optimizer)| optimizer.steps_alone()) {
        let mut walk = ModuleOptimizer::from(optimizer.clone());
        let half = Line::new(subject).walk(subject, &mut walk, 3);
        let record = walk.into_bytes().expect("a record");
        let loaded = ModuleOptimizer::from(optimizer).from_bytes(record).expect("a record");
        let go_on = |mut walk| half.clone().walk(subject, &mut walk, 3).bits();
        assert!(go_on(loaded) == go_on(walk), "{variant}: the resumed walk is another");
    }
}

/// The state follows the parameter to another device and goes on there.
pub(crate) fn other_device(subject: &Subject) {
    let there = |(device, _): &&(Device, Exactness)| device.supports_dtype(subject.dtype);
    for (device, exactness) in subject.others.iter().filter(there) {
        let exactness = subject.exactness.least(*exactness);
        let there = Subject { device: device.clone(), exactness, ..subject.clone() };
        moves(subject, &there, "a vector", [50]);
        moves(subject, &there, "a matrix", [10, 6]);
    }
}

fn moves<const D: usize>(subject: &Subject, there: &Subject, what: &str, shape: [usize; D]) {
    let (optimizer, device) = (subject.optimizer(), &there.device);
    let (tensor, state) = subject.walk(&optimizer, subject.tensor::<D>(1, shape), None, 0..2);
    let moved = tensor.clone().to_device(device);
    let moved_state = state.clone().map(|state| {
        <burn_descent::Fused as burn::optim::Optimizer>::to_device::<D>(state, device)
    });
    let (moved, moved_state) = there.walk(&optimizer, moved, moved_state, 2..4);
    assert_eq!(&moved.device(), device);
    assert_eq!(moved_state.map(|state| state.steps()), Some(4));
    let (stayed, _) = subject.walk(&optimizer, tensor, state, 2..4);
    there.assert_close(what, &moved.to_device(&subject.device), &stayed);
}

/// A record of another optimizer is refused by the step.
pub(crate) fn foreign_record(subject: &Subject) {
    let record = |optimizer: &dyn Fn() -> ModuleOptimizer| {
        let mut optimizer = optimizer();
        let model = Line::new(subject).walk(subject, &mut optimizer, 1);
        (model, optimizer.into_bytes().expect("a record"))
    };
    let burns = || AdamConfig::new().init();
    let mut foreign = vec![record(&burns)];
    // Those with no state, with one, with two of one name, and with states of rows and columns.
    let others = [
        Sgd::new().build(),
        Sgd::new().momentum(0.9).build(),
        Adam::new().build(),
        AdamW::new().build(),
        Adafactor::new().build(),
    ];
    let others = others.into_iter().map(|other| other.expect("it is allowed"));
    // And all there are, where they are compiled.
    #[cfg(feature = "registry")]
    let others = others.chain(
        burn_descent::registry::ROWS
            .iter()
            .map(|row| row.build(&[]).expect("defaults are allowed")),
    );
    for other in others.filter(|other| other.name() != subject.name() && other.steps_alone()) {
        foreign.push(record(&|| ModuleOptimizer::from(other.clone())));
    }
    for (model, record) in foreign {
        let fresh = ModuleOptimizer::from(subject.optimizer());
        let mut loaded = fresh.from_bytes(record).expect("a readable record");
        let text = refusal(|| model.clone().walk(subject, &mut loaded, 1));
        let expected = format!("{}: the state belongs to another optimizer", subject.name());
        assert!(text.starts_with(&expected), "{text}");
    }
}
