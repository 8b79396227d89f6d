//! What is said while training and at its end.

use crate::backend::Backend;
use crate::position::Position;
use crate::task::Task;
use crate::train::Epoch;
use comfy_table::{CellAlignment, Table, presets::UTF8_HORIZONTAL_ONLY};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::io::{self, IsTerminal, Write, stderr, stdout};
use std::sync::OnceLock;

/// Why lines could not be written, if there was a reason.
static UNSAID: OnceLock<io::Error> = OnceLock::new();

/// Prints a line. A reader that has gone away is no reason to stop, and a full disk none to stop
/// training: see [`unsaid`].
pub fn say(text: impl std::fmt::Display) {
    if let Err(error) = writeln!(stdout(), "{text}")
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        let _ = UNSAID.set(error);
    }
}

/// Why the first line that could not be written was not, but for want of a reader.
pub fn unsaid() -> Option<&'static io::Error> {
    UNSAID.get()
}

/// A bar on a terminal, a line an epoch elsewhere.
#[derive(Debug)]
pub struct Progress {
    task: Task,
    epochs: u64,
    /// Training examples in an epoch.
    examples: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For the epochs after `done`, to `epochs` in all.
    pub fn new(task: Task, done: u64, epochs: u64, examples: usize) -> Self {
        let template = "{prefix} {wide_bar:.cyan/blue} {msg}  {eta_precise} left";
        let bar = (stderr().is_terminal() && done < epochs).then(|| {
            let bar = ProgressBar::new((epochs - done).saturating_mul(examples as u64));
            let style = ProgressStyle::with_template(template);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(format!("epoch {}/{epochs}", done + 1));
            bar
        });
        Self { task, epochs, examples, bar }
    }

    /// In an epoch: so many examples seen since the first one of this run, with this mean loss, and
    /// the learning rate now.
    pub fn step(&self, seen: u64, loss: f64, lr: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position(seen);
            let rate = thousands(bar.per_sec());
            bar.set_message(format!("loss {loss:.4}  lr {lr:.2e}  {rate}/s"));
        }
    }

    /// After an epoch, counted from 1.
    pub fn epoch(&self, number: u64, epoch: &Epoch) {
        let Epoch { train_loss, test_loss, score, seconds } = *epoch;
        let (name, score) = (score_name(self.task), show_score(score));
        match &self.bar {
            Some(bar) if number < self.epochs => {
                bar.set_prefix(format!("epoch {}/{}  {name} {score}", number + 1, self.epochs));
            }
            Some(bar) => bar.finish_and_clear(),
            None => {
                let width = self.epochs.to_string().len();
                let rate = thousands(self.examples as f64 / seconds);
                say(format_args!(
                    "epoch {number:>width$}/{}  train loss {train_loss:.4}  test loss \
                     {test_loss:.4}  {name} {score}  {rate} examples/s",
                    self.epochs
                ));
            }
        }
    }
}

/// The table at the end. The rate is that of this run's epochs, the time that of all.
pub fn table(position: &Position, backend: Backend, examples: usize, done: usize) -> String {
    let recipe = &position.recipe;
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    let score = score_name(recipe.task);
    table.set_header([
        "optimizer",
        "backend",
        "epochs",
        "steps",
        "train loss",
        "test loss",
        score,
        "time",
        "examples/s",
    ]);
    if let Some(last) = position.history.last() {
        let now = &position.history[done..];
        let seconds: f64 = now.iter().map(|epoch| epoch.seconds).sum();
        let rate = thousands((examples * now.len()) as f64 / seconds);
        table.add_row([
            recipe.optimizer.clone(),
            backend.name.into(),
            position.history.len().to_string(),
            thousands(position.steps as f64),
            format!("{:.4}", last.train_loss),
            format!("{:.4}", last.test_loss),
            show_score(last.score),
            format!("{:.2} s", time(position)),
            if now.is_empty() { "-".into() } else { rate },
        ]);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// The JSON object: what the table says, with all digits.
pub fn json(position: &Position, backend: Backend) -> String {
    let (recipe, last) = (&position.recipe, position.history.last());
    let mut object: Map<String, Value> = Map::new();
    let mut set = |key: &str, value| object.insert(key.into(), value);
    set("optimizer", json!(recipe.optimizer));
    set("backend", json!(backend.name));
    set("epochs", json!(position.history.len()));
    set("train_loss", json!(last.map(|epoch| epoch.train_loss)));
    set("test_loss", json!(last.map(|epoch| epoch.test_loss)));
    set(recipe.task.score(), json!(last.and_then(|epoch| epoch.score)));
    set("seconds", json!(time(position)));
    set("steps", json!(position.steps));
    set("schedule", json!(recipe.schedule));
    set("clip_norm", json!(position.around.clip_norm));
    set("accumulate", json!(position.around.batches()));
    set("flush", json!(position.around.flush));
    set("ema", json!(position.around.ema));
    Value::Object(object).to_string()
}

/// The title of a plot: `adam on penguins.csv: accuracy 0.9851`.
pub fn title(position: &Position) -> String {
    let recipe = &position.recipe;
    let score = position.history.last().map_or("none".into(), |last| show_score(last.score));
    let (optimizer, data) = (&recipe.optimizer, recipe.source.name());
    format!("{optimizer} on {data}: {} {score}", score_name(recipe.task))
}

/// The name of the score in prose.
fn score_name(task: Task) -> &'static str {
    match task {
        Task::Regression => "R2",
        Task::Classification => "accuracy",
    }
}

/// The time all epochs took to train.
fn time(position: &Position) -> f64 {
    position.history.iter().map(|epoch| epoch.seconds).sum()
}

/// The score with four digits.
pub(crate) fn show_score(score: Option<f64>) -> String {
    score.map_or("undefined".into(), |score| format!("{score:.4}"))
}

/// A whole number with a comma at each third digit.
fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.max(0.0));
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|g| str::from_utf8(g).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(0.0), "0");
        assert_eq!(show_score(None), "undefined");
    }
}
