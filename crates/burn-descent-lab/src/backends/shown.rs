//! Trainings on several devices in tables and charts.

use super::{Args, Track, greatest};
use crate::made::Made;
use crate::report::{Axis, Chart, Line, Part, Report, Section, Table};
use crate::statistics::quantile;

/// The report of trainings on several devices.
pub(super) fn report(args: &Args, tracks: &[Track], absent: &[String]) -> Report {
    let first = tracks.first().map_or("", |track| track.backend);
    let steps = tracks.first().map_or(0, |track| track.losses.len());
    let diverged: Vec<_> =
        tracks.iter().filter(|track| track.diverged()).map(|track| track.backend).collect();
    let mut text = format!(
        "{steps} steps of {} with the same first weights and the same batches. A step is timed until its \
         loss has been read; the first one may compile.",
        args.optimizer
    );
    if !diverged.is_empty() {
        text +=
            &format!(" It ends there because the loss is not a number on {}.", diverged.join(", "));
    }
    if !absent.is_empty() {
        text += &format!(" Left out: {}.", absent.join("; "));
    }
    let chart = |name: &str, title: &str, unit: &str, series: fn(&Track) -> Line, logarithmic| {
        Part::Chart(Chart {
            name: name.into(),
            title: title.into(),
            x: Axis { name: "step".into(), logarithmic: false },
            y: Axis { name: unit.into(), logarithmic },
            lines: tracks.iter().map(series).collect(),
        })
    };
    let section = |title: &str, text: &str, part| Section {
        title: title.into(),
        text: text.into(),
        parts: vec![part],
    };
    let others = "Sums are taken in another order on another device; what is rounded otherwise grows \
                  with the steps, as any small difference does where training is not settled.";
    Report {
        title: format!("{} on {}", args.optimizer, join(tracks)),
        made: Made::default(),
        sections: vec![
            section(
                "The same training, device by device",
                &text,
                Part::Table(table(tracks, first)),
            ),
            section(
                "Losses",
                "Where one line covers the others, they agree.",
                chart(
                    "losses",
                    "Loss by step",
                    "loss",
                    |track| line(track, &track.losses, 1.0),
                    false,
                ),
            ),
            section(
                &format!("Greatest difference of a weight from {first}"),
                others,
                chart(
                    "differences",
                    &format!("Greatest difference of a weight from {first}"),
                    "difference",
                    |track| line(track, &track.differences, 1.0),
                    true,
                ),
            ),
            section(
                "Times",
                "Milliseconds a step: gradients and update.",
                chart(
                    "times",
                    "Time by step",
                    "ms",
                    |track| line(track, &track.seconds, 1e-3),
                    true,
                ),
            ),
        ],
    }
}

fn join(tracks: &[Track]) -> String {
    tracks.iter().map(|track| track.backend).collect::<Vec<_>>().join(", ")
}

fn table(tracks: &[Track], first: &str) -> Table {
    let columns = [
        "backend".into(),
        "first step, ms".into(),
        "median of the others, ms".into(),
        "last loss".into(),
        format!("greatest difference from {first}"),
        "at the last step".into(),
    ];
    let row = |track: &Track| {
        let ms = |seconds: Option<f64>| seconds.map_or("-".into(), |s| format!("{:.2}", 1e3 * s));
        let greatest = greatest(track.differences.iter().copied());
        let last = track.differences.last().copied().unwrap_or(0.0);
        vec![
            track.backend.into(),
            ms(track.seconds.first().copied()),
            ms(quantile(track.seconds.get(1..).unwrap_or_default(), 0.5)),
            track.losses.last().map_or("-".into(), |loss| format!("{loss:.6}")),
            format!("{greatest:.1e}"),
            format!("{last:.1e}"),
        ]
    };
    Table { columns: columns.into(), rows: tracks.iter().map(row).collect() }
}

/// A series of a track as a line, by step from 1.
fn line(track: &Track, series: &[f64], unit: f64) -> Line {
    let point = |(step, value): (usize, &f64)| [Some(step as f64), Some(value / unit)];
    Line::new(track.backend, (1..).zip(series).map(point).collect())
}
