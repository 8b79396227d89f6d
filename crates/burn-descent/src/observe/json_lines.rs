use super::{Observer, lines::Lines};
use crate::Report;
use std::io;
use std::path::Path;

/// Writes each report as one line of JSON (<https://jsonlines.org>).
///
/// A line is an object with the fields of [`Report`]; `learning_rates` is an object of group and
/// rate. A number that is not finite is `null`, since JSON has none, and so is a quantity that was
/// not asked for; [`Csv`](super::Csv) tells them apart.
///
/// A line is in the hands of the operating system when [`observe`](Observer::observe) returns, so
/// that a killed run keeps what it had.
///
/// ```
/// use burn_descent::{JsonLines, Observer, Report};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("steps.jsonl");
/// let mut log = JsonLines::create(&path)?.every(10);
/// for step in 1..=30 {
///     // In a loop of training: `let report = trainer.step(loss.backward())?;`
///     let mut report = Report::default();
///     (report.step, report.stepped) = (step, true);
///     log.observe(&report)?;
/// }
/// assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 3);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[doc(alias = "jsonl")]
pub struct JsonLines(Lines);

impl JsonLines {
    /// Begins a new file; one that is there is overwritten.
    ///
    /// # Errors
    /// The file cannot be opened to write.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Lines::create(path.as_ref()).map(Self)
    }

    /// Goes on with the file of an earlier run, and begins one if there is none. A last line that
    /// is not whole is cut off.
    ///
    /// A run that goes on from an older checkpoint writes the steps since then a second time: of
    /// two lines of a step the later one counts.
    ///
    /// # Errors
    /// The file cannot be opened to read and write.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        Lines::append(path.as_ref()).map(Self)
    }
}

impl Observer for JsonLines {
    fn observe(&mut self, report: &Report) -> io::Result<()> {
        let mut line = serde_json::to_vec(report).map_err(|error| self.0.named(error.into()))?;
        line.push(b'\n');
        self.0.write(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;
    use serde_json::{Value, json};
    use std::fs;

    fn read(path: &Path) -> Vec<Value> {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let mut log = JsonLines::create(&path).unwrap();
        log.observe(&report(1)).unwrap();
        let line = json!({
            "step": 1, "stepped": true, "parameters": 3, "skipped": false, "skipped_in_all": 0,
            "learning_rates": {"all": 1e-7, "a, \"b\"": 0.25},
            "grad_norm": 2.5, "clip_factor": 0.4, "loss_scale": null,
            "update": {"norm": 0.5, "weight_norm": 4.0},
            "loss": null,
        });
        assert_eq!(read(&path), [line], "there before the log is closed");

        log.observe(&Report { grad_norm: Some(f64::NAN.into()), ..report(2) }).unwrap();
        assert_eq!(read(&path)[1]["grad_norm"], Value::Null);
        JsonLines::create(&path).unwrap();
        assert!(read(&path).is_empty());
    }

    #[test]
    fn a_log_goes_on_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        JsonLines::append(&path).unwrap().observe(&report(1)).unwrap();
        let whole = fs::read(&path).unwrap();
        for torn in [0, 1, whole.len() - 1] {
            fs::write(&path, [&whole, &whole[..torn]].concat()).unwrap();
            let mut log = JsonLines::append(&path).unwrap();
            log.observe(&report(2)).unwrap();
            log.observe(&report(3)).unwrap();
            let steps: Vec<Value> = read(&path).iter().map(|line| line["step"].clone()).collect();
            assert_eq!(steps, [1, 2, 3], "{torn} bytes of a torn line");
        }
        fs::write(&path, &whole[..7]).unwrap();
        JsonLines::append(&path).unwrap().observe(&report(4)).unwrap();
        assert_eq!(read(&path).len(), 1, "the only line was torn");
    }

    #[test]
    fn errors_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none").join("log.jsonl");
        for error in [JsonLines::create(&path).unwrap_err(), JsonLines::append(&path).unwrap_err()]
        {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }
}
