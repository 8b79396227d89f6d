//! Gradients whose squares are no numbers any more.

use super::sgd;
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use burn_descent::{Descent, NotFinite};
use burn_descent_tests::values;

#[derive(Module, Debug)]
struct Pair {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
}

fn pair() -> Pair {
    let options = (&Device::default(), DType::F64);
    let a = Tensor::<1>::zeros([3], options).autodiff().require_grad();
    let b = Tensor::<2>::zeros([2, 3], options).autodiff().require_grad();
    Pair { a: Param::from_tensor(a), b: Param::from_tensor(b) }
}

fn gradients(model: &Pair, number: f64) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    gradients.register(model.a.id, model.a.val().inner().add_scalar(number));
    gradients.register(model.b.id, model.b.val().inner().add_scalar(-number));
    gradients
}

#[test]
fn the_norm_of_gradients_that_are_numbers_is_one() {
    for number in [1e200, 3e307, 1e-200] {
        let model = pair();
        let descent = Descent::builder(sgd()).lr(1.0).not_finite(NotFinite::Error);
        let mut descent = descent.clip_norm(number).build(&model).expect("it fits");
        let gradients = gradients(&model, number);
        let (model, report) = descent.step(model, gradients).expect("they are finite");
        let norm = report.grad_norm.expect("it was asked for").get();
        assert!((norm / number - 3.0).abs() < 1e-12, "{norm:e} of {number:e}");
        assert!((report.clip_factor.get() - 1.0 / 3.0).abs() < 1e-12);
        assert!((values(&model.a.val())[0] / number + 1.0 / 3.0).abs() < 1e-12);
    }
}
