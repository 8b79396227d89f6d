//! Predicting new rows with the network of a save.

use crate::args::Flags;
use crate::data::{Code, Coding, Matrix, NewRows};
use crate::detail::Detail;
use crate::output;
use crate::report::{list, say, show_score, tell};
use crate::save::Save;
use crate::task::{Evaluation, Task, class, cross_entropy};
use crate::train::outputs;
use anyhow::{Context, Result, bail, ensure};
use csv::Writer;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What the name of a column of predictions begins with.
const PREDICTED: &str = "predicted_";

/// The name of the column that says how sure a class is.
const PROBABILITY: &str = "probability";

/// Predicts the rows of a file, and says how good that is if it has the targets.
///
/// # Errors
/// If the save, the rows or the predictions cannot be read or written, or do not fit together.
pub fn predict(task: Task, flags: &Flags, rows: &Path) -> Result<()> {
    let save = flags.resume.as_deref().context("--predict needs --resume")?;
    let out = flags.out.as_deref().context("--predict needs --out")?;
    output::check_distinct(&[
        ("--resume", Some(save)),
        ("--predict", Some(rows)),
        ("--out", Some(out)),
    ])?;
    check(out)?;
    let saved = Save::open(save)?;
    saved.position.recipe.check_task(task)?;
    let encoder = saved.encoder.clone().with_context(|| {
        let save = save.display();
        format!(
            "{save} was made before saves could predict: --resume {save} --save {save} mends it"
        )
    })?;
    let layout = flags.common.data.layout.clone().or(&saved.position.recipe.source.layout());
    let new = NewRows::open(rows, &layout, &encoder)?;
    new.notes.iter().for_each(tell);

    let optimizer = saved.position.recipe.optimizer.clone();
    let (backend, device) = flags.common.machine.open()?;
    let model = saved.evaluated(encoder.widths(), &device)?;
    let outputs = outputs(&model, &new.inputs, encoder.widths()[1], &device)?;
    let predictions = Predictions { target: &encoder.target, new: &new, outputs: &outputs };
    output::write_file(out, |draft| predictions.write(draft))?;

    let mut object = Map::from_iter([
        ("optimizer".into(), json!(optimizer)),
        ("backend".into(), json!(backend.name)),
        ("rows".into(), json!(new.rows.len())),
        ("predicted".into(), json!(new.known.len())),
    ]);
    let mut lines = vec![
        ("predicted", format!("{} of {} rows", new.known.len(), new.rows.len())),
        ("written to", out.display().to_string()),
    ];
    let evaluated = new.evaluated(&outputs);
    let detail = evaluated.as_ref().map(|evaluated| {
        let Evaluation { loss, score } = task.evaluate(&evaluated.inputs, &evaluated.targets);
        let detail = Detail::new(&encoder.target, loss, &evaluated.inputs, &evaluated.targets);
        lines.push(("evaluated on", format!("{} rows", evaluated.targets.len())));
        lines.push((task.score_name(), show_score(score)));
        lines.extend(detail.line(&encoder.target));
        object.insert("evaluated".into(), json!(evaluated.targets.len()));
        object.insert("loss".into(), json!(loss));
        object.insert(task.score().into(), json!(score));
        let (key, value) = detail.json();
        object.insert(key.into(), value);
        detail
    });
    tell(list(&lines));
    detail.iter().for_each(Detail::tell_table);
    if flags.json {
        say(Value::Object(object));
    }
    Ok(())
}

/// Finds out whether predictions can be written here.
fn check(out: &Path) -> Result<()> {
    output::check_file(out)?;
    if out.exists() {
        let name = out.display();
        let file = File::open(out).with_context(|| format!("cannot read {name}"))?;
        let mut first = Vec::new();
        BufReader::new(file.take(1 << 16)).read_until(b'\n', &mut first).context("--out")?;
        ensure!(
            first.is_empty() || String::from_utf8_lossy(&first).contains(PREDICTED),
            "cannot write to {name}: there is a file without predictions; take another name"
        );
    }
    Ok(())
}

/// Rows with what is predicted of them.
struct Predictions<'a> {
    target: &'a Coding,
    new: &'a NewRows,
    outputs: &'a Matrix,
}

impl Predictions<'_> {
    /// The columns that are added, and what they have for an output.
    fn columns(&self) -> Vec<String> {
        let predicted = format!("{PREDICTED}{}", self.target.column);
        match self.target.code {
            Code::Number(_) => vec![predicted],
            Code::Words(_) => vec![predicted, PROBABILITY.into()],
        }
    }

    fn values(&self, output: &[f32]) -> Vec<String> {
        match &self.target.code {
            Code::Number(scale) => vec![digits(scale.back(output[0]))],
            Code::Words(classes) => {
                let found = class(output);
                let probability = (-cross_entropy(output, found)).exp();
                vec![classes[found].clone(), format!("{probability:.4}")]
            }
        }
    }

    /// Writes the rows as they are, each with its prediction; none where it has none.
    fn write(&self, path: &Path) -> Result<()> {
        let NewRows { names, rows, known, .. } = self.new;
        let columns = self.columns();
        if let Some(twice) = columns.iter().find(|column| names.contains(column)) {
            bail!("the rows have a column `{twice}` already");
        }
        let mut writer = Writer::from_path(path)?;
        writer.write_record(names.iter().chain(&columns))?;
        let mut outputs = known.iter().zip(self.outputs.rows()).peekable();
        for (number, row) in rows.iter().enumerate() {
            let output = outputs.next_if(|(known, _)| **known == number);
            let none = || vec![String::new(); columns.len()];
            let values = output.map_or_else(none, |(_, output)| self.values(output));
            writer.write_record(row.iter().chain(values.iter().map(String::as_str)))?;
        }
        Ok(writer.flush()?)
    }
}

/// A number with as many digits as the network computes with: eight.
fn digits(number: f64) -> String {
    let text = format!("{number:.7e}");
    text.parse().map_or(text, |number: f64| format!("{number:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_have_eight_digits() {
        let numbers = [326.0, 0.1 + 0.2, 1_234.567_891_2, -1e50 / 3.0, 1e-170];
        let expected = ["326.0", "0.3", "1234.5679", "-3.3333333e49", "1e-170"];
        assert_eq!(numbers.map(digits), expected);
    }
}
