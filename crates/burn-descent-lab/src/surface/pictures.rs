//! The pictures of functions and of optimizers.

use super::{Tour, Walked};
use crate::choice::Choice;
use crate::draw::{Panel, Panels, Relief, Trail};
use crate::numbers::short;
use crate::surfaces::Surface;
use anyhow::Result;
use burn::tensor::Device;

/// More walks than this are drawn beside one another, each by itself.
const TOGETHER: usize = 10;

/// Surfaces from above, small enough to stand beside one another.
///
/// # Errors
/// If the device fails.
pub fn reliefs(surfaces: &[&'static Surface], device: &Device) -> Result<Vec<Relief>> {
    let relief = |surface: &&'static Surface| Relief::new(surface, [230.0, 200.0], 36, device);
    surfaces.iter().map(relief).collect()
}

/// The picture of a function: all walks in one, or each by itself where they are many.
pub(super) fn together(tour: &Tour, device: &Device) -> Result<String> {
    let Tour { surface, steps, walks } = tour;
    let alone = walks.len() > TOGETHER;
    let (size, cells) = if alone { ([180.0, 156.0], 40) } else { ([560.0, 480.0], 90) };
    let relief = Relief::new(surface, size, cells, device)?;
    let trails = walks.iter().enumerate().map(|(color, walked)| {
        let color = if alone { 1 } else { color };
        (walked, Trail { points: &walked.path.points, color })
    });
    let panels: Vec<Panel> = if alone {
        let panel = |(walked, trail): (&Walked, _)| Panel {
            title: walked.choice.to_string(),
            note: note(surface, walked),
            relief: &relief,
            trails: vec![trail],
        };
        trails.map(panel).collect()
    } else {
        let trails = trails.map(|(_, trail)| trail).collect();
        vec![Panel { title: String::new(), note: String::new(), relief: &relief, trails }]
    };
    let legend = walks.iter().map(|walked| [walked.choice.to_string(), note(surface, walked)]);
    Ok(Panels {
        title: surface.title.into(),
        subtitle: format!("{},  {steps} steps", surface.formula),
        columns: if alone { 4 } else { 1 },
        panels,
        axes: !alone,
        legend: if alone { Vec::new() } else { legend.collect() },
    }
    .svg())
}

/// The picture of an optimizer, whose place among the walks of each tour is `index`.
pub fn portrait(choice: &Choice, index: usize, tours: &[Tour], reliefs: &[Relief]) -> String {
    let panels = tours.iter().zip(reliefs).filter_map(|(tour, relief)| {
        let walked = tour.walks.get(index)?;
        Some(Panel {
            title: tour.surface.title.into(),
            note: note(tour.surface, walked),
            relief,
            trails: vec![Trail { points: &walked.path.points, color: 1 }],
        })
    });
    Panels {
        title: choice.method.title().into(),
        subtitle: format!("{choice} · {}", choice.method.paper().cite),
        columns: 3,
        panels: panels.collect(),
        axes: false,
        legend: Vec::new(),
    }
    .svg()
}

/// The learning rate of a walk, and what came of it.
fn note(surface: &Surface, walked: &Walked) -> String {
    let end = if walked.path.diverged {
        "diverges".into()
    } else {
        format!("Δf {}", short(walked.path.end() - surface.least))
    };
    format!("lr {}, {end}", short(walked.lr))
}
