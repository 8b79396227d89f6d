use super::{Observer, lines::Lines};
use crate::{Reading, Report, Update};
use csv::{Reader, Writer};
use std::io;
use std::path::Path;

/// Writes each report as one line of comma-separated values (RFC 4180), after a line with the
/// names of the columns.
///
/// The columns are the fields of [`Report`], with `lr.GROUP` for each group, `update.norm` and
/// `update.weight_norm`. A cell is empty where something was not asked for; `NaN` and `inf` are
/// written as such.
///
/// A line is in the hands of the operating system when [`observe`](Observer::observe) returns, so
/// that a killed run keeps what it had.
///
/// ```
/// use burn_descent::{Csv, Observer, Report};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("steps.csv");
/// let mut log = Csv::create(&path)?;
/// let mut report = Report::default();
/// report.learning_rates = vec![("all".to_owned(), 0.01)];
/// log.observe(&report)?;
/// let text = std::fs::read_to_string(&path)?;
/// assert!(text.starts_with("step,stepped,parameters,skipped,skipped_in_all,lr.all,"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Csv {
    lines: Lines,
    /// The names of the columns, once they are written.
    columns: Vec<String>,
}

impl Csv {
    /// Begins a new file; one that is there is overwritten.
    ///
    /// # Errors
    /// The file cannot be opened to write.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { lines: Lines::create(path.as_ref())?, columns: Vec::new() })
    }

    /// Goes on with the file of an earlier run, and begins one if there is none. A last line that
    /// is not whole is cut off. The first report is refused if the columns in the file are not
    /// those of this run: it had other groups.
    ///
    /// A run that goes on from an older checkpoint writes the steps since then a second time: of
    /// two lines of a step the later one counts.
    ///
    /// # Errors
    /// The file cannot be opened to read and write, or its first line is not text.
    pub fn append(path: impl AsRef<Path>) -> io::Result<Self> {
        let lines = Lines::append(path.as_ref())?;
        let columns = first_line(&lines.path).map_err(|error| lines.named(error.into()))?;
        Ok(Self { lines, columns })
    }
}

impl Observer for Csv {
    fn observe(&mut self, report: &Report) -> io::Result<()> {
        let (columns, cells): (Vec<_>, Vec<_>) = cells(report).into_iter().unzip();
        if self.columns.is_empty() {
            self.lines.write(&line(&columns)?)?;
            self.columns = columns;
        } else if self.columns != columns {
            let (old, new) = (self.columns.join(","), columns.join(","));
            let message = format!(
                "its columns are `{old}`, those of this walk are `{new}`; write to another file, \
                 or begin this one anew"
            );
            return Err(self.lines.named(io::Error::new(io::ErrorKind::InvalidData, message)));
        }
        self.lines.write(&line(&cells)?)
    }
}

/// Every column with its cell.
fn cells(report: &Report) -> Vec<(String, String)> {
    let Report {
        step,
        stepped,
        parameters,
        skipped,
        skipped_in_all,
        learning_rates,
        estimates,
        failed_refreshes,
        grad_norm,
        clip_factor,
        loss_scale,
        update,
        evaluations,
        stop,
        loss,
    } = report;
    let (norm, weight_norm) =
        update.as_ref().map(|Update { norm, weight_norm }| (norm, weight_norm)).unzip();
    let number = |number: f64| format!("{number:?}");
    let some = |of: Option<f64>| of.map(number).unwrap_or_default();
    let measured = |of: Option<&Reading>| some(of.map(Reading::get));
    let rates = learning_rates.iter().map(|(group, lr)| (format!("lr.{group}"), number(*lr)));
    let found =
        |(group, found): &(String, Reading)| (format!("estimate.{group}"), number(found.get()));
    let estimates = estimates.iter().map(found);
    let failed = failed_refreshes.map(|count| ("failed_refreshes".to_owned(), count.to_string()));
    let searched = evaluations.map(|count| ("evaluations".to_owned(), count.to_string()));
    let stop = stop.map(|stop| ("stop".to_owned(), stop.to_string()));
    let cell = |(column, cell): (&str, String)| (column.to_owned(), cell);
    let before = [
        ("step", step.to_string()),
        ("stepped", stepped.to_string()),
        ("parameters", parameters.to_string()),
        ("skipped", skipped.to_string()),
        ("skipped_in_all", skipped_in_all.to_string()),
    ];
    let after = [
        ("grad_norm", measured(grad_norm.as_ref())),
        ("clip_factor", number(clip_factor.get())),
        ("loss_scale", some(*loss_scale)),
        ("update.norm", measured(norm)),
        ("update.weight_norm", measured(weight_norm)),
        ("loss", measured(loss.as_ref())),
    ];
    let between = rates.chain(estimates).chain(failed).chain(searched).chain(stop);
    before.map(cell).into_iter().chain(between).chain(after.map(cell)).collect()
}

fn line(cells: &[String]) -> io::Result<Vec<u8>> {
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    writer.into_inner().map_err(|error| error.into_error())
}

fn first_line(path: &Path) -> csv::Result<Vec<String>> {
    Ok(Reader::from_path(path)?.headers()?.iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;
    use std::fs;

    /// The cells of each line, the header first.
    fn read(path: &Path) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
        reader.records().map(|line| line.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_line_is_the_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let mut log = Csv::create(&path).unwrap();
        log.observe(&report(1)).unwrap();
        let broken =
            Report { grad_norm: Some(f64::NAN.into()), loss_scale: Some(2.0), ..report(2) };
        log.observe(&Report { update: None, ..broken }.with_loss(0.125)).unwrap();
        let columns = "step|stepped|parameters|skipped|skipped_in_all|lr.all|lr.a, \"b\"|grad_norm|\
                       clip_factor|loss_scale|update.norm|update.weight_norm|loss";
        let lines: Vec<String> = read(&path).iter().map(|cells| cells.join("|")).collect();
        assert_eq!(lines[0], columns);
        assert_eq!(lines[1], "1|true|3|false|0|1e-7|0.25|2.5|0.4||0.5|4.0|");
        assert_eq!(lines[2], "2|true|3|false|0|1e-7|0.25|NaN|0.4|2.0|||0.125");
    }

    #[test]
    fn a_log_may_begin_with_a_skipped_step() {
        use crate::{Build, Descent, NotFinite, Sgd};
        use burn::nn::{Linear, LinearConfig};
        use burn::tensor::{Device, Tensor};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        let mut log = Csv::create(&path).unwrap();
        let device = Device::default().autodiff();
        let mut model: Linear = LinearConfig::new(2, 1).init(&device);
        let walk = Descent::builder(Sgd::new().build().unwrap()).lr(0.5);
        let mut walk = walk.not_finite(NotFinite::Skip).build(&model).unwrap();
        for x in [f32::NAN, 1.0] {
            let x = Tensor::<2>::from_floats([[x, x]], &device);
            let gradients = model.forward(x).sum().backward();
            let report;
            (model, report) = walk.step(model, gradients).unwrap();
            log.observe(&report).unwrap();
        }
        let starts: Vec<String> = read(&path).iter().map(|cells| cells[..6].join(" ")).collect();
        assert_eq!(starts[1..], ["0 false 0 true 1 0.5", "1 true 2 false 1 0.5"]);
    }

    #[test]
    fn a_log_goes_on_after_a_kill() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        Csv::append(&path).unwrap().observe(&report(1)).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        let header = whole.lines().next().unwrap().len() + 1;
        for (kept, steps) in [(0, 1), (5, 1), (header, 1), (whole.len() - 1, 1), (whole.len(), 2)] {
            fs::write(&path, &whole[..kept]).unwrap();
            Csv::append(&path).unwrap().observe(&report(1)).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap()[..header], whole[..header]);
            assert_eq!(read(&path).len(), 1 + steps, "{kept} bytes were left");
        }
    }

    #[test]
    fn other_groups_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        Csv::create(&path).unwrap().observe(&report(1)).unwrap();
        let before = fs::read(&path).unwrap();
        let mut log = Csv::append(&path).unwrap();
        let other = Report { learning_rates: vec![("vectors".into(), 0.1)], ..report(2) };
        let error = log.observe(&other).unwrap_err().to_string();
        for part in [path.to_str().unwrap(), "lr.all", "lr.vectors", "begin this one anew"] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
        log.observe(&report(2)).unwrap();
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.csv");
        fs::write(&path, [0xff, 0xfe, b'\n']).unwrap();
        let error = Csv::append(&path).unwrap_err();
        assert!(error.to_string().contains("log.csv"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [0xff, 0xfe, b'\n']);
    }
}
