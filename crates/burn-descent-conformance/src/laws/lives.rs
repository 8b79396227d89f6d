//! Steps of a model that is cloned, tied and frozen, against slow and obvious arithmetic.

use crate::subject::{LOSS, step};
use crate::{Subject, bits};
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;
use burn_descent::{Batch, Descent, Place};

/// Elements and steps: small tensors, and those that `Descent` takes out of their model.
const LIVES: [(usize, usize); 2] = [(5, 10), (66_000, 4)];

/// Weights that are trained, others that are not.
#[derive(Module, Debug)]
struct Pair {
    weights: Param<Tensor<1>>,
    frozen: Param<Tensor<1>>,
}

/// One parameter in two places, and a frozen one.
#[derive(Module, Debug)]
struct Tied {
    first: Pair,
    second: Param<Tensor<1>>,
}

impl Pair {
    fn new(subject: &Subject, length: usize) -> Self {
        let tensor = |seed| subject.tensor::<1>(seed, [length]).autodiff();
        let weights = Param::from_tensor(tensor(1).require_grad());
        // Few bits, so that sums with them are exact in any order; and none of these is 0.
        let frozen = (tensor(2) * 64.0).floor() / 64.0 + 1.0 / 128.0;
        Self { weights, frozen: Param::from_tensor(frozen).no_grad() }
    }

    /// `Σ ½ w + w f + (w − anchor)²`.
    fn loss(&self, anchor: Option<&Self>) -> Tensor<1> {
        let (w, f) = (self.weights.val(), self.frozen.val());
        let loss = (w.clone() * f + w.clone() * 0.5).sum();
        let pull = anchor.map(|anchor| (w - anchor.weights.val()).square().sum());
        pull.into_iter().fold(loss, |loss, pull| loss + pull)
    }
}

/// The same walk by hand, on bare tensors: one parameter, and the gradient of its loss written down.
struct ByHand {
    weights: Tensor<1>,
    frozen: Tensor<1>,
    anchor: Option<Tensor<1>>,
    state: burn_descent::FusedState,
}

impl ByHand {
    fn new(subject: &Subject, start: &Pair) -> Self {
        let bare = |param: &Param<Tensor<1>>| param.val().inner();
        let (weights, frozen) = (bare(&start.weights), bare(&start.frozen));
        let state = subject.optimizer().start_as(&weights, Place::default());
        Self { weights, frozen, anchor: None, state }
    }

    /// A step down `½ + f + 2 (w − anchor)` and what else pulls.
    fn step(&mut self, subject: &Subject, also: f64) {
        let gradient = self.frozen.clone() + (0.5 + also);
        let pull = self.anchor.clone().map(|anchor| (self.weights.clone() - anchor) * 2.0);
        let gradient = pull.into_iter().fold(gradient, |gradient, pull| gradient + pull);
        let weights = self.weights.clone();
        let (optimizer, state) = (subject.optimizer(), Some(self.state.clone()));
        (self.weights, self.state) = step(&optimizer, subject.lr(), weights, gradient, state);
    }
}

/// A clone of a model is a model of its own: it keeps its weights, and its leaves of autodiff are not
/// those of the model that goes on.
pub(crate) fn clone_is_another(subject: &Subject) {
    for (length, steps) in LIVES {
        let start = Pair::new(subject, length);
        let builder = Descent::builder(subject.optimizer()).lr(subject.lr());
        let mut descent = builder.build(&start).expect("it fits");
        let step = |model: Pair, gradients| {
            let batch = Batch::new().loss(LOSS);
            descent.step_weighted(model, gradients, batch).expect("a good step").0
        };
        life(subject, start, steps, step);

        if !subject.optimizer().steps_alone() {
            continue;
        }
        let mut optimizer = ModuleOptimizer::from(subject.optimizer());
        let step = |model, gradients| optimizer.step(subject.lr(), model, gradients);
        life(subject, Pair::new(subject, length), steps, step);
    }
}

fn life(
    subject: &Subject,
    start: Pair,
    steps: usize,
    mut step: impl FnMut(Pair, GradientsParams) -> Pair,
) {
    let mut by_hand = ByHand::new(subject, &start);
    let (mut model, mut anchor) = (start, None::<Pair>);
    for number in 0..steps {
        let loss = model.loss(anchor.as_ref());
        let mut gradients = loss.backward();
        if let Some(anchor) = &anchor {
            let at_anchor = anchor.weights.grad_remove(&mut gradients).expect("it takes part");
            let expected = (anchor.weights.val().inner() - model.weights.val().inner()) * 2.0;
            subject.assert_close("the gradient of a clone", &at_anchor, &expected);
        }
        let gradients = GradientsParams::from_grads(gradients, &model);
        by_hand.step(subject, 0.0);
        // A clone that is held over a step, and let go later.
        let held = (number % 3 == 0).then(|| model.clone());
        let before = bits(&model.weights.val());
        let frozen = bits(&model.frozen.val());
        model = step(model, gradients);
        subject.assert_close("weights", &model.weights.val().inner(), &by_hand.weights);
        assert!(bits(&model.frozen.val()) == frozen, "step {number}: frozen weights have moved");
        if let Some(held) = held {
            assert!(bits(&held.weights.val()) == before, "step {number}: a clone has moved");
            by_hand.anchor = Some(held.weights.val().inner());
            anchor = Some(held);
        }
    }
}

/// A parameter in two places takes one step down the sum of its gradients, and stays one parameter.
pub(crate) fn tied(subject: &Subject) {
    for (length, steps) in LIVES {
        let first = Pair::new(subject, length);
        let mut model = Tied { second: first.weights.clone(), first };
        let mut by_hand = ByHand::new(subject, &model.first);
        let builder = Descent::builder(subject.optimizer()).lr(subject.lr());
        let mut descent = builder.build(&model).expect("it fits");
        for number in 0..steps {
            if number == 2 {
                // As after a file was loaded: one parameter, but leaves of their own.
                model = model.valid().train();
            }
            let loss = model.first.loss(None) + (model.second.val() * 2.0).sum();
            let gradients = loss.backward();
            let report;
            let batch = Batch::new().loss(LOSS);
            (model, report) = descent.step_weighted(model, gradients, batch).expect("a good step");
            assert_eq!(report.parameters, 1);
            by_hand.step(subject, 2.0);
            subject.assert_close("weights", &model.first.weights.val().inner(), &by_hand.weights);
            let (first, second) = (bits(&model.first.weights.val()), bits(&model.second.val()));
            assert!(first == second, "step {number}: two places have come apart");
        }
    }
}
