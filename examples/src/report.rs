//! What is said while training and at its end.

use crate::backend::Backend;
use crate::data::Coding;
use crate::detail::Detail;
use crate::position::Position;
use crate::task::Task;
use crate::terminal;
use crate::train::Epoch;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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

/// Prints a text, its lines broken where the terminal ends.
pub fn tell(text: impl std::fmt::Display) {
    say(terminal::fitted(text));
}

/// Why the first line that could not be written was not, but for want of a reader.
pub fn unsaid() -> Option<&'static io::Error> {
    UNSAID.get()
}

/// A line an epoch, and below them a bar on a terminal.
#[derive(Debug)]
pub struct Progress {
    task: Task,
    epochs: u64,
    /// Training examples in an epoch.
    examples: usize,
    bar: Option<ProgressBar>,
}

/// What stands beside the bar leaves it 20 columns of 80 ...
const BAR: &str = "{prefix} {wide_bar:.cyan/blue} {msg}  {eta} left";

/// ... and is less on a terminal of fewer.
const SHORT_BAR: &str = "{prefix} {wide_bar:.cyan/blue} {eta} left";

/// The width from which on there is room for all of it.
const ROOM: usize = 80;

impl Progress {
    /// For the epochs after `done`, to `epochs` in all.
    pub fn new(task: Task, done: u64, epochs: u64, examples: usize) -> Self {
        let shown = stderr().is_terminal() && done < epochs;
        let columns = terminal::width_of_errors().unwrap_or(ROOM);
        let bar = shown.then(|| bar(done, epochs, examples, ProgressDrawTarget::stderr(), columns));
        Self { task, epochs, examples, bar }
    }

    /// In an epoch: so many examples seen since the first one of this run, with this mean loss, and
    /// the learning rate now.
    pub fn step(&self, seen: u64, loss: f64, lr: f64) {
        if let Some(bar) = &self.bar {
            bar.set_position(seen);
            bar.set_message(format!("loss {}  lr {lr:.2e}", number(loss)));
        }
    }

    /// After an epoch, counted from 1.
    pub fn epoch(&self, number: u64, epoch: &Epoch) {
        let line = self.line(number, epoch);
        match &self.bar {
            Some(bar) => {
                bar.suspend(|| tell(line));
                bar.set_prefix(format!("epoch {}/{}", number + 1, self.epochs));
            }
            None => tell(line),
        }
        if let Some(bar) = self.bar.as_ref().filter(|_| number == self.epochs) {
            bar.finish_and_clear();
        }
    }

    fn line(&self, at: u64, epoch: &Epoch) -> String {
        let Epoch { train_loss, test_loss, score, seconds } = *epoch;
        let (epochs, name) = (self.epochs, self.task.score_name());
        let (width, score) = (epochs.to_string().len(), show_score(score));
        let rate = thousands(self.examples as f64 / seconds);
        let losses = format!("loss {:<7} test {:<7}", number(train_loss), number(test_loss));
        format!("epoch {at:>width$}/{epochs}  {losses}  {name} {score}  {rate}/s")
    }
}

fn bar(
    done: u64,
    epochs: u64,
    examples: usize,
    on: ProgressDrawTarget,
    columns: usize,
) -> ProgressBar {
    let examples = (epochs - done).saturating_mul(examples as u64);
    let bar = ProgressBar::with_draw_target(Some(examples), on);
    let style = ProgressStyle::with_template(if columns < ROOM { SHORT_BAR } else { BAR });
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(format!("epoch {}/{epochs}", done + 1));
    bar
}

/// Names with values, a line each.
pub fn list(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("{name:<width$}  {value}");
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The list at the end. The rate is that of this run's epochs, the time that of all.
pub fn summary(
    position: &Position,
    backend: Backend,
    examples: usize,
    done: usize,
    (target, detail): (&Coding, &Detail),
) -> String {
    let recipe = &position.recipe;
    let mut lines = vec![
        ("optimizer", recipe.optimizer.clone()),
        ("backend", backend.name.into()),
        ("epochs", position.history.len().to_string()),
        ("steps", thousands(position.steps as f64)),
    ];
    if let Some(last) = position.history.last() {
        let now = &position.history[done..];
        let seconds: f64 = now.iter().map(|epoch| epoch.seconds).sum();
        let rate = thousands((examples * now.len()) as f64 / seconds);
        lines.extend([
            ("train loss", number(last.train_loss)),
            ("test loss", number(last.test_loss)),
            (recipe.task.score_name(), show_score(last.score)),
        ]);
        lines.extend(detail.line(target));
        lines.extend([
            ("time", format!("{:.2} s", time(position))),
            ("examples/s", if now.is_empty() { "-".into() } else { rate }),
        ]);
    }
    list(&lines)
}

/// The JSON object: what the list says, with all digits, and the detail.
pub fn json(position: &Position, backend: Backend, detail: &Detail) -> String {
    let (recipe, last) = (&position.recipe, position.history.last());
    let mut object: Map<String, Value> = Map::new();
    let mut set = |key: &str, value| object.insert(key.into(), value);
    set("optimizer", json!(recipe.optimizer));
    set("backend", json!(backend.name));
    set("epochs", json!(position.history.len()));
    set("train_loss", json!(last.map(|epoch| epoch.train_loss)));
    set("test_loss", json!(last.map(|epoch| epoch.test_loss)));
    set(recipe.task.score(), json!(last.and_then(|epoch| epoch.score)));
    let (key, value) = detail.json();
    set(key, value);
    set("seconds", json!(time(position)));
    set("steps", json!(position.steps));
    set("schedule", json!(recipe.schedule));
    set("clip_norm", json!(position.around.clip_norm));
    set("accumulate", json!(position.around.batches()));
    set("flush", json!(position.around.flush));
    set("ema", json!(position.around.ema));
    set("mechanic", json!(position.around.mechanic));
    set("state", json!(recipe.state));
    set("weights", json!(recipe.weights));
    Value::Object(object).to_string()
}

/// The title of a plot: `adam on penguins.csv: accuracy 0.9851`.
pub fn title(position: &Position) -> String {
    let recipe = &position.recipe;
    let score = position.history.last().map_or("none".into(), |last| show_score(last.score));
    let (optimizer, data) = (&recipe.optimizer, recipe.source.name());
    format!("{optimizer} on {data}: {} {score}", recipe.task.score_name())
}

/// The time all epochs took to train.
fn time(position: &Position) -> f64 {
    position.history.iter().map(|epoch| epoch.seconds).sum()
}

/// The score.
pub(crate) fn show_score(score: Option<f64>) -> String {
    score.map_or("undefined".into(), number)
}

/// A number in nine letters at most: with four decimals where that says what it is.
pub(crate) fn number(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || (0.001..10_000.0).contains(&size) {
        format!("{number:.4}")
    } else {
        format!("{number:.2e}")
    }
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
    use indicatif::TermLike;
    use std::sync::{Arc, Mutex};

    /// A terminal of so many columns that keeps what is written on it.
    #[derive(Clone, Debug)]
    struct Screen {
        columns: u16,
        text: Arc<Mutex<String>>,
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            self.columns
        }
        fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(&format!("{line}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.text.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.text.lock().unwrap().clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn progress(epochs: u64, columns: u16) -> (Progress, Screen) {
        let screen = Screen { columns, text: Arc::default() };
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let bar = bar(0, epochs, 1_000, target, columns.into());
        (Progress { task: Task::Classification, epochs, examples: 1_000, bar: Some(bar) }, screen)
    }

    #[test]
    fn the_bar_has_twenty_cells() {
        for (epochs, columns) in [(5, 80), (100, 80), (100_000, 80), (100, 120), (100, 50)] {
            let (progress, screen) = progress(epochs, columns);
            progress.step(epochs * 500, 123_456.0, 1.25e-12);
            progress.bar.as_ref().unwrap().tick();
            let text = screen.text.lock().unwrap().clone();
            let cells = text.chars().filter(|cell| "█░▏▎▍▌▋▊▉".contains(*cell)).count();
            assert!(cells >= 20, "{cells}: {text}");
        }
    }

    #[test]
    fn the_line_of_an_epoch_fits_eighty_columns() {
        let (progress, _) = progress(1_000, 80);
        let epoch =
            Epoch { train_loss: 1e300, test_loss: 5432.1, score: Some(-1e30), seconds: 1e-5 };
        let line = progress.line(1_000, &epoch);
        assert!(line.len() <= 80, "{line}");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(thousands(1_234_567.4), "1,234,567");
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(0.0), "0");
        assert_eq!(show_score(None), "undefined");
        let numbers = [0.0, 0.12345, 5432.1, 0.00012, -1e30].map(number);
        assert_eq!(numbers, ["0.0000", "0.1235", "5432.1000", "1.20e-4", "-1.00e30"]);
    }
}
