//! Matrices that hardly are any, and gradients with nothing to divide by: every optimizer of the registry, in f32 and
//! in halves.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::registry::{self, Row};
use burn_descent::{Batch, Descent};
use burn_descent_tests::{numbers, values};

#[derive(Module, Debug)]
struct Odd {
    zero: Param<Tensor<2>>,
    zero_row: Param<Tensor<2>>,
    rank_one: Param<Tensor<2>>,
    row: Param<Tensor<2>>,
    column: Param<Tensor<2>>,
    rank_five: Param<Tensor<5>>,
}

fn tensor<const D: usize>(shape: [usize; D], numbers: Vec<f64>, dtype: DType) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers, shape), (&Device::default(), dtype))
}

fn odd(dtype: DType) -> Odd {
    fn param<const D: usize>(seed: u64, shape: [usize; D], dtype: DType) -> Param<Tensor<D>> {
        let tensor = tensor(shape, numbers(seed, shape.iter().product()), dtype);
        Param::from_tensor(tensor.autodiff().require_grad())
    }
    Odd {
        zero: param(1, [3, 4], dtype),
        zero_row: param(2, [4, 3], dtype),
        rank_one: param(3, [5, 4], dtype),
        row: param(4, [1, 7], dtype),
        column: param(5, [7, 1], dtype),
        rank_five: param(6, [2, 3, 1, 2, 2], dtype),
    }
}

fn gradients(model: &Odd, step: u64, dtype: DType) -> GradientsParams {
    let some = |seed, len| numbers(100 + 10 * step + seed, len);
    let zero_row = some(2, 12).into_iter().enumerate().map(|(i, x)| if i < 3 { 0.0 } else { x });
    let (a, b) = (some(3, 5), some(4, 4));
    let rank_one = a.iter().flat_map(|a| b.iter().map(move |b| a * b));
    let mut gradients = GradientsParams::new();
    gradients.register(model.zero.id, tensor([3, 4], vec![0.0; 12], dtype));
    gradients.register(model.zero_row.id, tensor([4, 3], zero_row.collect(), dtype));
    gradients.register(model.rank_one.id, tensor([5, 4], rank_one.collect(), dtype));
    gradients.register(model.row.id, tensor([1, 7], some(5, 7), dtype));
    gradients.register(model.column.id, tensor([7, 1], some(6, 7), dtype));
    gradients.register(model.rank_five.id, tensor([2, 3, 1, 2, 2], some(7, 24), dtype));
    gradients
}

fn walk(row: &Row, dtype: DType) {
    let mut model = odd(dtype);
    let optimizer = row.build(&[]).expect("defaults are allowed");
    let mut descent = Descent::builder(optimizer).lr(row.lr).build(&model).expect("it fits");
    for step in 0..5 {
        let gradients = gradients(&model, step, dtype);
        let batch = Batch::new().loss(1.0);
        (model, _) = descent.step_weighted(model, gradients, batch).expect("a good step");
    }
    let flat = [&model.zero, &model.zero_row, &model.rank_one, &model.row, &model.column];
    let mut weights: Vec<f64> = flat.iter().flat_map(|param| values(&param.val())).collect();
    weights.extend(values(&model.rank_five.val()));
    let broken = weights.iter().filter(|x| !x.is_finite()).count();
    assert_eq!(broken, 0, "{} in {dtype:?}: numbers that are not finite", row.name);
}

#[test]
fn weights_stay_finite() {
    for row in registry::rows() {
        for dtype in [DType::F32, DType::F16, DType::BF16] {
            walk(row, dtype);
        }
    }
}
