//! What gradients of every kind do.

use crate::subject::{Walker, step as one};
use crate::{Subject, bits, values};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

/// Two parameters.
#[derive(Module, Debug)]
struct Pair {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

/// A parameter without a gradient stays as it is, and so does its state.
pub(crate) fn no_gradient(subject: &Subject) {
    let tensor = |seed| Param::from_tensor(subject.tensor::<1>(seed, [5]).autodiff());
    let mut pair = Pair { a: tensor(1), b: tensor(2) };
    let mut walker = Walker::new(subject, 0.1, &pair);
    let a_before = bits(&pair.a.val());
    let b_before = bits(&pair.b.val());
    for step in 0..6 {
        let mut gradients = GradientsParams::new();
        gradients.register(pair.a.id, subject.tensor::<1>(10 + step, [5]));
        pair = walker.step(0.1, pair, gradients);
    }
    assert!(bits(&pair.a.val()) != a_before);
    assert!(bits(&pair.b.val()) == b_before);
}

/// Gradients of zero from the start leave finite weights, and move nothing but by weight decay and
/// noise.
pub(crate) fn zero(subject: &Subject) {
    let optimizer = subject.optimizer();
    let options = optimizer.options().iter().map(|(option, _)| option.as_str());
    let noise = options.filter(|option| *option == "noise.eta");
    let moves = optimizer.weight_decays().iter().map(String::as_str).chain(noise);
    let none: Vec<_> = moves.map(|option| (option, "0")).collect();
    let no_decay = optimizer.with(&none).expect("0 is allowed");
    let mut at = (subject.tensor::<1>(1, [40]), None);
    let before = bits(&at.0);
    for _ in 0..3 {
        let zeros = at.0.zeros_like();
        let (tensor, state) = one(&no_decay, 0.1, at.0, zeros, at.1);
        at = (tensor, Some(state));
    }
    assert!(bits(&at.0) == before, "zero gradients have moved the weights");
}

/// Tiny and huge gradients leave finite weights.
pub(crate) fn extreme(subject: &Subject) {
    use burn::tensor::DType::*;
    let (tiny, huge) = match subject.dtype {
        F64 => (1e-300, 1e300),
        F16 => (6e-8, 6e4),
        _ => (1e-38, 1e38),
    };
    let gradient = |t: i32| {
        let sign = if t % 2 == 0 { 1.0 } else { -1.0 };
        let numbers = vec![tiny, -tiny, huge * 0.1 * sign, -huge * 0.1 * sign, 0.5, -0.5];
        Tensor::<1>::from_data(TensorData::new(numbers, [6]), (&subject.device, subject.dtype))
    };
    let mut at = (subject.tensor::<1>(1, [6]), None);
    for t in 0..4 {
        let (tensor, state) = one(&subject.optimizer(), subject.lr(), at.0, gradient(t), at.1);
        at = (tensor, Some(state));
        let weights = values(&at.0);
        assert!(weights.iter().all(|w| w.is_finite()), "step {t}: {weights:?}");
    }
}

/// A NaN or infinite gradient spoils its own weight at most; where a step needs a sum over the
/// tensor, a NaN is seen in its own weight at least.
pub(crate) fn broken(subject: &Subject) {
    let numbers = crate::numbers(7, 100);
    let step = |numbers: Vec<f64>| {
        let optimizer = subject.optimizer();
        let data = TensorData::new(numbers, [100]);
        let gradient = Tensor::<1>::from_data(data, (&subject.device, subject.dtype));
        let start = subject.tensor::<1>(1, [100]);
        let (tensor, state) = one(&optimizer, 0.1, start, gradient, None);
        subject.walk(&optimizer, tensor, Some(state), 0..2).0
    };
    let good = values(&step(numbers.clone()));
    let places = [(3, f64::NAN), (40, f64::INFINITY), (99, f64::NEG_INFINITY)];
    let mut spoilt = numbers;
    places.iter().for_each(|(i, number)| spoilt[*i] = *number);
    let spoilt = values(&step(spoilt));
    assert!(spoilt[3].is_nan(), "a NaN is hidden: {}", spoilt[3]);
    if !subject.candidate.page.summed.is_empty() {
        return;
    }
    for (i, (good, spoilt)) in good.iter().zip(&spoilt).enumerate() {
        if places.iter().all(|(place, _)| *place != i) {
            assert!(good.to_bits() == spoilt.to_bits(), "element {i}: {good} and {spoilt}");
        }
    }
}
