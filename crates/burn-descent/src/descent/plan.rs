//! What will happen to each parameter.

use burn::tensor::Shape;
use core::fmt;

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Where it is in the model.
    pub path: String,
    /// Its shape.
    pub shape: Shape,
    /// The group it belongs to.
    pub group: String,
    /// The optimizer that steps it.
    pub optimizer: &'static str,
    /// The weight decay it begins with; `None` if its optimizer has none, or is not ours.
    pub weight_decay: Option<f64>,
    /// Does it take no gradient?
    pub frozen: bool,
    /// The bytes of its state; `None` if the optimizer is not ours.
    pub state_bytes: Option<usize>,
}

/// Every parameter of a model with what will happen to it. Prints as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The parameters in the order of the model; those that are tied together once.
    pub lines: Vec<Line>,
}

impl Plan {
    /// The bytes of all states of our optimizers.
    pub fn state_bytes(&self) -> usize {
        self.lines.iter().filter(|line| !line.frozen).filter_map(|line| line.state_bytes).sum()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header =
            ["parameter", "shape", "group", "optimizer", "decay", "state bytes"].map(String::from);
        let row = |line: &Line| {
            let state = line.state_bytes.map_or("?".into(), |bytes| bytes.to_string());
            [
                line.path.clone(),
                line.shape.to_string(),
                line.group.clone(),
                line.optimizer.to_owned(),
                line.weight_decay.map_or("-".into(), |decay| decay.to_string()),
                if line.frozen { "frozen".into() } else { state },
            ]
        };
        let rows: Vec<_> = core::iter::once(header).chain(self.lines.iter().map(row)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..6).map(|column| width(column).unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        write!(f, "{} parameters, {} bytes of state", self.lines.len(), self.state_bytes())
    }
}
