//! A step that cannot be taken leaves everything as it was, and one that breaks off says so.

use super::{all, gradients, matrix, model, sgd, vector};
use burn::module::Param;
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::{Device, Tensor};
use burn_descent::{
    Adam, Build, CheckpointError, Descent, DescentError, Fused, FusedState, Lookahead, Swa,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A walk that meets a bad gradient at its second step ends as one that never met it.
fn goes_on_as_if_it_had_never_been(spoil: impl Fn(&mut GradientsParams, &super::Model)) {
    let walk = |bad: bool| {
        let mut model = model();
        let adam = Adam::new().build().expect("defaults are allowed");
        let mut descent = Descent::builder(adam).lr(0.01).build(&model).expect("it fits");
        for step in 0..3 {
            if bad && step == 1 {
                let mut spoilt = gradients(&model, 7);
                spoil(&mut spoilt, &model);
                let before = all(&model);
                let refused = descent.step(model, spoilt).expect_err("it cannot be stepped");
                let text = refused.error.to_string();
                assert!(text.contains("`matrices.24`"), "{text}");
                model = refused.model;
                assert_eq!((all(&model), descent.steps()), (before, 1));
            }
            let gradients = gradients(&model, 100 + step);
            (model, _) = descent.step(model, gradients).expect("a good step");
        }
        all(&model)
    };
    assert_eq!(walk(true), walk(false));
}

#[test]
fn a_gradient_of_another_shape_is_refused_before_anything_moves() {
    goes_on_as_if_it_had_never_been(|gradients, model| {
        gradients.register(model.matrices[24].id, matrix(0).transpose());
    });
}

#[test]
fn a_gradient_of_another_rank_is_refused_before_anything_moves() {
    goes_on_as_if_it_had_never_been(|gradients, model| {
        gradients.register(model.matrices[24].id, vector(0, 12));
    });
}

/// Exchanges a layer for a larger one under the same id: the gradients that the model has then.
fn exchange_a_layer(model: &mut super::Model) -> GradientsParams {
    let id = model.matrices[24].id;
    let larger = Tensor::<2>::ones([5, 4], &Device::default()).autodiff().require_grad();
    model.matrices[24] = Param::initialized(id, larger.clone());
    let mut gradients = gradients(model, 1);
    gradients.register(id, larger.inner());
    gradients
}

#[test]
fn a_state_that_does_not_fit_any_more_is_refused_before_anything_moves() {
    let start = model();
    let adam = Adam::new().build().expect("defaults are allowed");
    let mut descent = Descent::builder(adam).lr(0.01).build(&start).expect("it fits");
    let gradients_of = gradients(&start, 0);
    let (mut model, _) = descent.step(start, gradients_of).expect("a good step");
    let new = exchange_a_layer(&mut model);
    let before = all(&model);
    let refused = descent.step(model, new).expect_err("its moments are of the old layer");
    assert!(
        matches!(&refused.error, DescentError::State { parameter, .. } if parameter == "matrices.24")
    );
    assert_eq!(all(&refused.model), before);
}

/// The same without a state, but with an average, slow weights, or micro-batches of the old layer.
#[test]
fn what_else_is_kept_and_does_not_fit_is_refused_before_anything_moves() {
    let builder = || Descent::builder(sgd()).lr(0.1);
    for (part, builder) in [
        ("average", builder().average(Swa::polyak(1))),
        ("slow weights", builder().lookahead(Lookahead::new().k(5))),
        ("accumulated gradient", builder().accumulate(3)),
    ] {
        let start = model();
        let mut descent = builder.build(&start).expect("it fits");
        let gradients_of = gradients(&start, 0);
        let (mut model, _) = descent.step(start, gradients_of).expect("a good step");
        let new = exchange_a_layer(&mut model);
        let before = all(&model);
        let refused = descent.step(model, new).expect_err("it is of the old layer");
        let parameter = "matrices.24".to_owned();
        assert_eq!(refused.error, DescentError::Kept { parameter, part });
        assert_eq!(all(&refused.model), before);
    }
}

/// An optimizer of somebody else, which panics once.
#[derive(Clone)]
struct Breaks {
    inner: Fused,
    calls_left: Arc<AtomicU32>,
}

impl Optimizer for Breaks {
    type State<const D: usize> = FusedState;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<FusedState>,
    ) -> (Tensor<D>, Option<FusedState>) {
        assert!(self.calls_left.fetch_sub(1, Ordering::Relaxed) != 0, "it breaks");
        self.inner.step(lr, tensor, grad, state)
    }

    fn to_device<const D: usize>(state: FusedState, device: &Device) -> FusedState {
        Fused::to_device::<D>(state, device)
    }
}

#[test]
fn a_walk_whose_optimizer_panicked_says_so_until_it_is_restored() {
    let mut model = model();
    let calls_left = Arc::new(AtomicU32::new(1000));
    let breaks = Breaks { inner: sgd(), calls_left: calls_left.clone() };
    let mut descent = Descent::builder(breaks).lr(0.1).build(&model).expect("it fits");
    let good = gradients(&model, 0);
    (model, _) = descent.step(model, good).expect("a good step");
    let (kept, before) = (model.clone(), all(&model));
    let checkpoint = descent.checkpoint(&model).expect("it is of this model");

    calls_left.store(10, Ordering::Relaxed);
    let second = gradients(&model, 1);
    let broken = catch_unwind(AssertUnwindSafe(|| descent.step(model, second).map(|_| ())));
    assert!(broken.is_err());
    calls_left.store(1000, Ordering::Relaxed);
    let third = gradients(&kept, 1);
    let refused = descent.step(kept, third).expect_err("half a step has been taken");
    assert_eq!(refused.error, DescentError::BrokenOff { step: 2 });
    assert_eq!(all(&refused.model), before);
    let saved = descent.checkpoint(&refused.model).map(|_| ());
    assert_eq!(saved, Err(CheckpointError::BrokenOff));

    let model = checkpoint.restore(&mut descent, &refused.model).expect("it fits");
    let third = gradients(&model, 1);
    let (_, report) = descent.step(model, third).expect("a good step");
    assert_eq!((report.step, report.parameters), (2, 50));
}
