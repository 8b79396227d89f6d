//! Every optimizer trains a model in burn-train's `Learner`, at the rates of a schedule.

use burn::module::{Module, Param};
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, ExecutionError, Tensor};
use burn::train::{InferenceStep, ItemLazy, Learner, TrainOutput, TrainStep};
use burn_descent::registry::ROWS;
use burn_descent::schedules::Cosine;
use burn_descent::{LrSchedule, Schedule};
use burn_descent_tests::numbers;
use core::fmt;

/// `x ↦ x w`.
#[derive(Module, Debug)]
struct Line {
    w: Param<Tensor<2>>,
}

impl Line {
    fn loss(&self, x: Tensor<2>) -> Tensor<1> {
        let error = x.clone().matmul(self.w.val()) - x.sum_dim(1);
        (error.clone() * error).mean()
    }
}

struct Loss(f32);

impl ItemLazy for Loss {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TrainStep for Line {
    type Input = Tensor<2>;
    type Output = Loss;

    fn step(&self, x: Tensor<2>) -> TrainOutput<Loss> {
        let loss = self.loss(x);
        let value = loss.clone().into_scalar();
        TrainOutput::new(self, loss.backward(), Loss(value))
    }
}

impl InferenceStep for Line {
    type Input = Tensor<2>;
    type Output = Loss;

    fn step(&self, x: Tensor<2>) -> Loss {
        Loss(self.loss(x).into_scalar())
    }
}

#[test]
fn every_optimizer_trains_in_a_learner() {
    let device = Device::default().autodiff();
    let tensor = |seed, rows: usize, columns: usize| {
        let numbers: Vec<f32> = numbers(seed, rows * columns).iter().map(|x| *x as f32).collect();
        Tensor::<1>::from_floats(numbers.as_slice(), &device).reshape([rows, columns])
    };
    for row in ROWS {
        let model = Line { w: Param::from_tensor(tensor(1, 4, 1).require_grad()) };
        let optimizer = row.build(&[]).expect("defaults are allowed");
        if !optimizer.steps_alone() {
            continue;
        }
        let lr = Cosine::new(row.lr, 17).warmup(3);
        let scheduler = LrSchedule::new(lr.clone()).expect("the rate is allowed");
        let mut learner = Learner::new(model, ModuleOptimizer::from(optimizer), scheduler);
        let mut losses = Vec::new();
        for step in 0..20 {
            learner.lr_step();
            assert_eq!(learner.lr_current().base(), lr.at(step), "{} in step {step}", row.name);
            let output = learner.train_step(tensor(2, 16, 4));
            losses.push(output.item.0);
            learner.optimizer_step(output.grads);
        }
        assert!(losses[19] < losses[0], "{}: {losses:?}", row.name);
    }
}
