//! What a loss and a score do not say.

use crate::confusion::Confusion;
use crate::data::{Code, Coding, Matrix};
use crate::report::{number, tell};
use crate::terminal;
use serde_json::{Value, json};

/// A table is for a terminal of so many columns if there is none.
const WIDTH: usize = 80;

/// What is told of predictions beside their loss and score.
#[derive(Clone, Debug, PartialEq)]
pub enum Detail {
    /// The root of the mean squared error, in the unit of the target.
    Rmse(f64),
    /// Which classes were taken for which.
    Confusion(Confusion),
}

impl Detail {
    /// Of outputs that should be these targets, and have this mean loss.
    pub fn new(target: &Coding, loss: f64, outputs: &Matrix, targets: &Matrix) -> Self {
        match &target.code {
            Code::Number(scale) => Self::Rmse(loss.sqrt() * scale.deviation),
            Code::Words(classes) => Self::Confusion(Confusion::new(classes, outputs, targets)),
        }
    }

    /// Its name in the JSON object, and what it is there.
    pub fn json(&self) -> (&'static str, Value) {
        match self {
            Self::Rmse(rmse) => ("rmse", json!(rmse)),
            Self::Confusion(confusion) => ("confusion", confusion.json()),
        }
    }

    /// Its line in a list, if it is one number.
    pub fn line(&self, target: &Coding) -> Option<(&'static str, String)> {
        match self {
            Self::Rmse(rmse) => {
                Some(("RMSE", format!("{} in units of `{}`", number(*rmse), target.column)))
            }
            Self::Confusion(_) => None,
        }
    }

    /// Prints its table, if it is more than one number.
    pub fn tell_table(&self) {
        if let Self::Confusion(confusion) = self {
            tell(confusion.table(terminal::width().unwrap_or(WIDTH)));
        }
    }
}
