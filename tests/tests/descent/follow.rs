//! A model that is cast or moved in the middle of a walk is followed.

use crate::line::{Line, gradients_at, line};
use burn::module::Module;
use burn::optim::AdamConfig;
use burn::tensor::{DType, Tensor};
use burn_descent::{Build, Descent, DescentError, Ema, Lookahead, Sgd};
use burn_descent_tests::devices;

/// Steps of 1 from 10; what is kept is the model's after all, on its device and in its precision.
fn walk(change: impl Fn(Line) -> Line) -> [[f64; 2]; 3] {
    let sgd = || Sgd::new().momentum(0.5).build().expect("it is allowed");
    let builders = [
        Descent::builder(sgd()).average(Ema::new(0.5)),
        Descent::builder(sgd()).lookahead(Lookahead::new().k(3)),
        Descent::builder(sgd()).accumulate(3),
    ];
    builders.map(|builder| {
        let mut model = line([10.0, 10.0], DType::F32);
        let mut descent = builder.lr(1.0).build(&model).expect("it fits");
        for step in 0..9 {
            if step == 4 {
                model = change(model);
            }
            // One of them has no gradient for a while.
            let gradients = gradients_at(&model, [1.0, if step == 5 { 0.0 } else { 2.0 }]);
            (model, _) = descent.step(model, gradients).expect("a good step");
        }
        let evaluated = descent.evaluate(&model);
        assert_eq!(evaluated.a.dtype(), model.a.dtype());
        assert_eq!(evaluated.a.device(), model.a.device().without_autodiff());
        evaluated.values()
    })
}

fn close(a: [[f64; 2]; 3], b: [[f64; 2]; 3]) {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} and {b}"));
}

#[test]
fn a_cast_is_followed() {
    let cast = |mut model: Line, dtype: DType| {
        let cast =
            |tensor: Tensor<1>| Tensor::from_inner(tensor.inner().cast(dtype)).require_grad();
        (model.a, model.b) = (model.a.map(cast), model.b.map(cast));
        model
    };
    let as_it_is = walk(|model| model);
    close(walk(|model| cast(model, DType::F64)), as_it_is);
    close(walk(|model| cast(cast(model, DType::F64), DType::F32)), as_it_is);
}

#[test]
fn a_move_is_followed() {
    let as_it_is = walk(|model| model);
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        let moved = |model: Line| model.fork(&device.clone().autodiff());
        close(walk(moved), as_it_is);
    }
}

/// burn's own optimizers do not cast what they remember.
#[test]
fn a_cast_that_an_optimizer_cannot_follow_is_refused() {
    let mut model = line([10.0, 10.0], DType::F32);
    let mut descent =
        Descent::builder(AdamConfig::new().build()).lr(1.0).build(&model).expect("it fits");
    let gradients = gradients_at(&model, [1.0, 2.0]);
    (model, _) = descent.step(model, gradients).expect("a good step");
    let cast =
        |tensor: Tensor<1>| Tensor::from_inner(tensor.inner().cast(DType::F64)).require_grad();
    (model.a, model.b) = (model.a.map(cast), model.b.map(cast));
    let (gradients, before) = (gradients_at(&model, [1.0, 2.0]), model.values());
    let refused = descent.step(model, gradients).expect_err("its moments are in f32");
    let kept = DescentError::Kept { parameter: "a".into(), part: "state" };
    assert_eq!((refused.error, refused.model.values()), (kept, before));
}
