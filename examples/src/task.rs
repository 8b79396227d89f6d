//! The two tasks: predict a number, or tell classes apart.

use crate::data::Matrix;
use burn::tensor::{Tensor, activation::log_softmax};
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What the network is trained for. Its targets are rows of numbers in both cases: the one number
/// to predict, or a 1 in the column of the right class and 0 elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Predict a number: mean squared error, scored by R².
    Regression,
    /// Tell classes apart: cross-entropy, scored by accuracy.
    Classification,
}

impl FromStr for Task {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let tasks = [Task::Regression, Task::Classification];
        let task = tasks.into_iter().find(|task| task.program() == name);
        task.ok_or_else(|| format!("it must be {}", tasks.map(Task::program).join(" or ")))
    }
}

/// How good predictions are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// The mean loss of an example.
    pub loss: f64,
    /// R² or accuracy. R² is undefined where all targets are the same.
    pub score: Option<f64>,
}

impl Task {
    /// The name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Task::Regression => "regression",
            Task::Classification => "classifier",
        }
    }

    /// The name of the score, as in the JSON object.
    pub fn score(self) -> &'static str {
        match self {
            Task::Regression => "r2",
            Task::Classification => "accuracy",
        }
    }

    /// The name of the score in prose.
    pub fn score_name(self) -> &'static str {
        match self {
            Task::Regression => "R2",
            Task::Classification => "accuracy",
        }
    }

    /// The mean loss of a batch, to be differentiated.
    pub fn loss(self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match self {
            Task::Regression => {
                let error = outputs - targets;
                (error.clone() * error).mean()
            }
            Task::Classification => {
                let [rows, _] = targets.dims();
                (log_softmax(outputs, 1) * targets).sum() * (-1.0 / rows as f64)
            }
        }
    }

    /// Loss and score of all predictions together, in f64.
    pub fn evaluate(self, outputs: &Matrix, targets: &Matrix) -> Evaluation {
        let rows = || outputs.rows().zip(targets.rows());
        let n = targets.len() as f64;
        match self {
            Task::Regression => {
                let mean = targets.values.iter().map(|t| f64::from(*t)).sum::<f64>() / n;
                let square = |a: f32, b: f64| (f64::from(a) - b).powi(2);
                let errors: f64 = rows().map(|(o, t)| square(o[0], t[0].into())).sum();
                let spread: f64 = targets.values.iter().map(|t| square(*t, mean)).sum();
                let score = (spread > 0.0).then(|| 1.0 - errors / spread);
                Evaluation { loss: errors / n, score }
            }
            Task::Classification => {
                let losses: f64 = rows().map(|(o, t)| cross_entropy(o, class(t))).sum();
                let right = rows().filter(|(o, t)| class(o) == class(t)).count();
                Evaluation { loss: losses / n, score: Some(right as f64 / n) }
            }
        }
    }
}

/// The column of the greatest number.
pub(crate) fn class(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

/// Minus the logarithm of the probability that softmax gives to the right class.
pub(crate) fn cross_entropy(outputs: &[f32], right: usize) -> f64 {
    let greatest = f64::from(outputs.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = outputs.iter().map(|output| (f64::from(*output) - greatest).exp()).sum();
    greatest + sum.ln() - f64::from(outputs[right])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Backend;

    fn agree(task: Task, outputs: Matrix, targets: Matrix) {
        let device = Backend::first().unwrap().open().unwrap();
        let loss = task.loss(outputs.tensor(&device), targets.tensor(&device));
        let loss: f64 = loss.into_scalar::<f32>().into();
        assert!((task.evaluate(&outputs, &targets).loss - loss).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn the_loss_to_train_with_is_the_loss_to_evaluate_with() {
        let outputs = Matrix::new(vec![0.3, -2.0, 1.0, 5.0, 0.1, 0.2], 3);
        agree(Task::Classification, outputs, Matrix::new(vec![0., 1., 0., 1., 0., 0.], 3));
        let outputs = Matrix::new(vec![0.3, -2.0], 1);
        agree(Task::Regression, outputs, Matrix::new(vec![1.0, 2.0], 1));
    }

    #[test]
    fn scores() {
        let targets = Matrix::new(vec![1.0, 2.0, 3.0], 1);
        let r2 = |outputs| Task::Regression.evaluate(&Matrix::new(outputs, 1), &targets).score;
        assert_eq!(r2(vec![1.0, 2.0, 3.0]), Some(1.0));
        assert_eq!(r2(vec![2.0, 2.0, 2.0]), Some(0.0));
        let same = Matrix::new(vec![4.0, 4.0], 1);
        assert_eq!(Task::Regression.evaluate(&same, &same).score, None);

        let outputs = Matrix::new(vec![0.1, 0.9, 0.8, 0.7], 2);
        let targets = Matrix::new(vec![0.0, 1.0, 0.0, 1.0], 2);
        assert_eq!(Task::Classification.evaluate(&outputs, &targets).score, Some(0.5));
    }
}
