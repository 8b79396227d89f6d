//! What will happen to each parameter.

use super::Settings;
use super::visit::compute_dtype;
use crate::averaging::averaged_in;
use burn::tensor::{DType, Shape};
use burn_descent_rules::View;
use core::fmt;

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// Where it is in the model.
    pub path: String,
    /// Its shape.
    pub shape: Shape,
    /// Its precision.
    pub dtype: DType,
    /// The group it belongs to.
    pub group: String,
    /// The optimizer that steps it.
    pub optimizer: &'static str,
    /// The weight decay it begins with, the sum where there are several; `None` if its optimizer has
    /// none, or is not ours.
    pub weight_decay: Option<f64>,
    /// Does it take no gradient?
    pub frozen: bool,
    /// Is it a buffer, such as a running statistic? A forward changes it, and no optimizer. It is
    /// frozen, too, and its group and optimizer are `-`.
    pub buffer: bool,
    /// How it is seen, if its optimizer or a transform of its gradient tells outputs from inputs.
    pub view: Option<View>,
    /// The bytes of its state; `None` if the optimizer is not ours.
    pub state_bytes: Option<usize>,
}

impl Line {
    /// The bytes of one tensor of its shape in this precision.
    pub(super) fn bytes_in(&self, dtype: DType) -> usize {
        self.shape.num_elements() * dtype.size()
    }
}

/// Every parameter of a model with what will happen to it, and its buffers. Prints as a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The parameters and buffers in the order of the model; those that are tied together once.
    pub lines: Vec<Line>,
    /// What else is kept of every parameter that is trained, and its bytes: averages, slow weights,
    /// accumulated gradients.
    pub kept: Vec<(&'static str, usize)>,
}

impl Plan {
    pub(super) fn new(lines: Vec<Line>, settings: &Settings) -> Self {
        let bytes = |dtype: &dyn Fn(DType) -> DType| {
            let lines = lines.iter().filter(|line| !line.frozen);
            lines.map(|line| line.bytes_in(dtype(line.dtype))).sum()
        };
        let once = bytes(&compute_dtype);
        let average = bytes(&|dtype| averaged_in(settings.keep_average, dtype));
        let kept = [
            ("average", settings.average.is_some(), average),
            ("slow weights", settings.lookahead.is_some(), once),
            ("starts", settings.mechanic.is_some(), once),
            ("accumulated gradients", settings.accumulate > 1, once),
        ];
        let kept = kept.into_iter().filter(|(_, is, _)| *is).map(|(name, _, bytes)| (name, bytes));
        // A search that moves the weights itself stands in their lines.
        let beside = settings.search.iter().filter(|search| search.vectors() > 0);
        let beside =
            beside.filter(|search| lines.iter().all(|line| line.optimizer != search.name()));
        let kept = kept
            .chain(beside.map(|search| (search.name(), search.vectors().saturating_mul(once))))
            .collect();
        Self { lines, kept }
    }

    /// The bytes of all states of our optimizers.
    pub fn state_bytes(&self) -> usize {
        self.lines.iter().filter(|line| !line.frozen).filter_map(|line| line.state_bytes).sum()
    }

    /// The bytes of all weights and buffers.
    pub fn weight_bytes(&self) -> usize {
        self.lines.iter().map(|line| line.bytes_in(line.dtype)).sum()
    }

    /// The bytes of all that is kept from step to step: weights, states, and what else there is.
    pub fn total_bytes(&self) -> usize {
        let kept: usize = self.kept.iter().map(|(_, bytes)| bytes).sum();
        self.weight_bytes() + self.state_bytes() + kept
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["parameter", "shape", "group", "optimizer", "decay", "state bytes"];
        let mut header: Vec<String> = header.map(String::from).into();
        let views = self.lines.iter().any(|line| line.view.is_some());
        if views {
            header.push("outputs x inputs".into());
        }
        let row = |line: &Line| {
            let state = line.state_bytes.map_or("?".into(), |bytes| bytes.to_string());
            let mut row = vec![
                line.path.clone(),
                line.shape.to_string(),
                line.group.clone(),
                line.optimizer.to_owned(),
                line.weight_decay.map_or("-".into(), |decay| decay.to_string()),
                match line {
                    Line { buffer: true, .. } => "buffer".into(),
                    Line { frozen: true, .. } => "frozen".into(),
                    _ => state,
                },
            ];
            if views {
                let seen = |view: View| match view.matrices {
                    1 => format!("{} x {}", view.rows, view.columns),
                    matrices => format!("{matrices} of {} x {}", view.rows, view.columns),
                };
                row.push(line.view.map_or("-".into(), seen));
            }
            row
        };
        let rows: Vec<_> = core::iter::once(header).chain(self.lines.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> =
            (0..rows[0].len()).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let buffers = self.lines.iter().filter(|line| line.buffer).count();
        write!(f, "{} parameters", self.lines.len() - buffers)?;
        if buffers > 0 {
            write!(f, ", {buffers} buffers")?;
        }
        write!(f, "; bytes: weights {}", self.weight_bytes())?;
        write!(f, ", states {}", self.state_bytes())?;
        self.kept.iter().try_for_each(|(name, bytes)| write!(f, ", {name} {bytes}"))?;
        write!(f, ", in all {}", self.total_bytes())
    }
}
