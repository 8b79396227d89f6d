//! Rules that look at all parameters of a model.

use crate::subject::{LOSS, step};
use crate::{Subject, values};
use burn::module::{Module, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use burn_descent::{Batch, Descent, Group, Select};

/// Seven numbers in two parameters.
#[derive(Module, Debug)]
struct Parts {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

const STEPS: u64 = 6;

/// Parameters in groups of their own walk as one parameter that holds all of them, where nothing is a sum over a tensor:
/// a sum over the model has no seams.
pub(crate) fn model_sum(subject: &Subject) {
    let optimizer = subject.optimizer();
    let numbers = |seed| subject.tensor::<1>(seed, [10]);
    let param = |tensor| Param::initialized(ParamId::new(), tensor);
    let of = |numbers: &Tensor<1>| {
        let (matrix, vector) = (numbers.clone().narrow(0, 0, 6), numbers.clone().narrow(0, 6, 4));
        (matrix.reshape([2, 3]), vector)
    };
    let (matrix, vector) = of(&numbers(1));
    let mut model =
        Parts { matrix: param(matrix), vector: Param::initialized(ParamId::new(), vector) };
    let group = Group::new("vectors", Select::rank(1), subject.optimizer());
    let builder = Descent::builder(optimizer.clone()).lr(subject.lr()).group(group);
    let mut descent = builder.build(&model).expect("it fits");
    let mut whole = (numbers(1), None);
    for t in 0..STEPS {
        let gradient = numbers(100 + t);
        let (of_matrix, of_vector) = of(&gradient);
        let mut gradients = GradientsParams::new();
        gradients.register(model.matrix.id, of_matrix);
        gradients.register(model.vector.id, of_vector);
        let batch = Batch::new().loss(LOSS);
        model = descent.step_weighted(model, gradients, batch).expect("a good step").0;
        let (tensor, state) = step(&optimizer, subject.lr(), whole.0, gradient, whole.1);
        whole = (tensor, Some(state));
    }
    let parts = vec![model.matrix.val().reshape([6]), model.vector.val()];
    let moved = values(&whole.0).iter().zip(values(&numbers(1))).any(|(a, b)| *a != b);
    assert!(moved || subject.dtype != DType::F64, "nothing has moved");
    // In half precision each weight is rounded after each step.
    subject.assert_close("the parts", &Tensor::cat(parts, 0), &whole.0);
}
