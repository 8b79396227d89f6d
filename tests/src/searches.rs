//! Golden trajectories of methods that evaluate the loss as they go: evaluation by evaluation.

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent::registry::SearchRow;
use burn_descent::{Descent, Refused};
use burn_descent_golden::{
    Case, Evaluation, Outcome, Precision, Problem, ProblemsFile, ReplayError, Setting, Skip, Step,
    largest_of, relative_error, traces_dir,
};

/// The parameters of a case as vectors: a search does not look at shapes.
#[derive(Module, Debug)]
struct Vectors {
    tensors: Vec<Param<Tensor<1>>>,
}

impl Vectors {
    fn values(&self) -> Step {
        self.tensors.iter().map(|param| crate::values(&param.val())).collect()
    }
}

fn tensor(numbers: &[f64], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), (device, DType::F64))
}

/// A case on a device, in f64. At each evaluation the search has to be where that of the library was, and
/// gets the loss and the gradient that the library got; where only their number was kept, those of the
/// problem.
///
/// Errors are relative to the largest element of the reference, or of the start if that is larger: a
/// search ends where much is 0.
///
/// # Errors
/// Why the case cannot be compared, or what went wrong.
pub fn replay_search(
    row: &SearchRow,
    device: &Device,
    precision: Precision,
    case: &Case,
    setting: &Setting,
) -> Result<Outcome, ReplayError> {
    if precision == Precision::F32 {
        return Err(ReplayError::Skip(Skip::NoF32));
    }
    let options = setting.options.iter().map(|(name, text)| (&**name, &**text));
    let search = row.build(&options.collect::<Vec<_>>()).map_err(engine)?;
    let param =
        |numbers: &Vec<f64>| Param::from_tensor(tensor(numbers, device).autodiff().require_grad());
    let mut model = Vectors { tensors: case.init.iter().map(param).collect() };
    let lr = setting.lrs.first().copied().unwrap_or(1.0);
    let mut descent = Descent::search(search).lr(lr).build(&model).map_err(engine)?;
    let mut compared = Compared::new(case);
    let problem = problem(case);
    for step in 1..=case.steps {
        let recorded = case.evals.as_ref().and_then(|evals| evals.get(step - 1));
        let mut calls = 0;
        let loss = |model: &Vectors| {
            calls += 1;
            match (recorded, &problem) {
                (Some(recorded), _) => {
                    let evaluation = recorded.get(calls - 1);
                    let last = evaluation.or(recorded.last()).expect("a step evaluates the loss");
                    compared.at(step, &model.values(), &last.x);
                    given(model, last, device)
                }
                (None, Some(problem)) => given(model, &squares(model, problem), device),
                (None, None) => unreachable!("there is one of the two"),
            }
        };
        let stepped = descent.step_with(model, loss);
        (model, ..) = stepped.map_err(|Refused { error, .. }| engine(error))?;
        let expected = recorded.map(Vec::len).or(case.n_evals.as_ref().map(|n| n[step - 1]));
        if expected != Some(calls) {
            let what = format!("{calls} evaluations in step {step}, not {expected:?}");
            return Err(ReplayError::Engine(what.into()));
        }
        if let Some(at) = case.record.iter().position(|recorded| *recorded == step) {
            compared.at(step, &model.values(), &case.params[at]);
        }
    }
    Ok(compared.outcome)
}

fn engine(error: impl std::error::Error + Send + Sync + 'static) -> ReplayError {
    ReplayError::Engine(Box::new(error))
}

/// The recorded loss here, with the recorded gradient.
fn given(model: &Vectors, evaluation: &Evaluation, device: &Device) -> Tensor<1> {
    let zero = Tensor::from_inner(tensor(&[evaluation.loss], device));
    model.tensors.iter().zip(&evaluation.grad).fold(zero, |loss, (param, gradient)| {
        let moved = param.val() - Tensor::from_inner(param.val().inner());
        loss + (moved * Tensor::from_inner(tensor(gradient, device))).sum()
    })
}

/// The problem of a case that has kept no evaluations.
fn problem(case: &Case) -> Option<Problem> {
    if case.evals.is_some() {
        return None;
    }
    let file = ProblemsFile::read(&traces_dir().join("problems.json.gz")).expect("it is there");
    file.problems.get(&case.problem).cloned()
}

/// `‖X W + b − Y‖² / 2n`, with the gradient rounded to six digits, as the library got it.
fn squares(model: &Vectors, problem: &Problem) -> Evaluation {
    let ([_, inputs], [n, outputs]) = (problem.inputs_shape, problem.outputs_shape);
    let x = model.values();
    let (w, b) = (&x[0], &x[1]);
    let error: Vec<f64> = (0..n * outputs)
        .map(|at| {
            let (row, column) = (at / outputs, at % outputs);
            let product = (0..inputs)
                .map(|input| problem.inputs[row * inputs + input] * w[input * outputs + column]);
            product.sum::<f64>() + b[column] - problem.outputs[at]
        })
        .collect();
    let six = |x: f64| format!("{x:.5e}").parse().expect("a number");
    let mean = |of: &dyn Fn(usize) -> f64| six((0..n).map(of).sum::<f64>() / n as f64);
    let of_w = (0..inputs * outputs).map(|at| {
        let (input, column) = (at / outputs, at % outputs);
        mean(&|row| problem.inputs[row * inputs + input] * error[row * outputs + column])
    });
    let of_b = (0..outputs).map(|column| mean(&|row| error[row * outputs + column]));
    let loss = error.iter().map(|error| error * error).sum::<f64>() / (2.0 * n as f64);
    Evaluation { loss, grad: vec![of_w.collect(), of_b.collect()], x }
}

struct Compared<'a> {
    case: &'a Case,
    outcome: Outcome,
}

impl<'a> Compared<'a> {
    fn new(case: &'a Case) -> Self {
        let outcome = Outcome {
            max_error: 0.0,
            step: 0,
            tensor: 0,
            tolerance: case.closeness.relative,
            max_movement_error: 0.0,
            movement_tolerance: f64::INFINITY,
            compared: 0,
        };
        Self { case, outcome }
    }

    fn at(&mut self, step: usize, ours: &Step, theirs: &Step) {
        for (tensor, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            let error = relative_error(ours, theirs, largest_of(&self.case.init[tensor]));
            self.outcome.compared += 1;
            if error > self.outcome.max_error {
                (self.outcome.max_error, self.outcome.step, self.outcome.tensor) =
                    (error, step, tensor);
            }
        }
    }
}
