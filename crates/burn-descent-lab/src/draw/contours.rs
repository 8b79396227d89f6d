//! Surfaces from above.

use super::style::BANDS;
use super::svg::path;
use crate::surfaces::Surface;
use anyhow::{Result, anyhow};
use burn::tensor::Device;
use contour::ContourBuilder;
use geo_types::LineString;

/// A surface from above: its bands of height at this size, to be drawn again and again.
#[derive(Clone, Debug)]
pub struct Relief {
    /// What is seen.
    pub surface: Surface,
    /// Width and height.
    pub size: [f64; 2],
    /// For each level from low to high its colour, and all that is above it as the data of a path.
    pub(super) bands: Vec<(usize, String)>,
}

impl Relief {
    /// Looks at `cells` × `cells` places of a surface. Heights are logarithmic, so that the valleys
    /// are seen as well as the hills.
    ///
    /// # Errors
    /// If the device fails.
    pub fn new(surface: &Surface, size: [f64; 2], cells: u32, device: &Device) -> Result<Self> {
        // The contours are cut off at the corners: there is a cell more on each side than is seen.
        let along = cells + 2;
        let middle = |[from, to]: [f64; 2], cell: u32| {
            from + (to - from) * (f64::from(cell) - 0.5) / f64::from(cells)
        };
        // From the top, as pictures are.
        let rows = (0..along).rev().map(|row| middle(surface.y, row));
        let points: Vec<_> = rows
            .flat_map(|y| (0..along).map(move |column| [middle(surface.x, column), y]))
            .collect();
        let heights = heights(&surface.values(&points, device)?, surface.least);
        let greatest = heights.iter().copied().fold(0.0, f64::max);
        let [step_x, step_y] = size.map(|length| length / f64::from(cells));
        // Not more than can be told apart.
        let count = ((size[1] / LEAST_BAND) as usize).clamp(2, BANDS);
        let levels = (1..count).map(|level| greatest * level as f64 / count as f64);
        let contours = ContourBuilder::new(along as usize, along as usize, true)
            .x_origin(-step_x)
            .y_origin(-step_y)
            .x_step(step_x)
            .y_step(step_y)
            .contours(&heights, &levels.collect::<Vec<_>>())
            .map_err(|error| anyhow!("{}: {error}", surface.name))?;
        let bands = (1..).zip(&contours).map(|(level, contour)| {
            let rings = contour.geometry().iter().flat_map(|polygon| {
                core::iter::once(polygon.exterior()).chain(polygon.interiors())
            });
            let data = rings.map(|ring| path(simplified(ring)) + "z").collect();
            (level * (BANDS - 1) / (count - 1), data)
        });
        Ok(Self { surface: *surface, size, bands: bands.collect() })
    }

    /// The place of a point.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let share = |[from, to]: [f64; 2], number| (number - from) / (to - from);
        let [width, height] = self.size;
        [width * share(self.surface.x, x), height * (1.0 - share(self.surface.y, y))]
    }
}

/// The height of a picture for each of its bands.
const LEAST_BAND: f64 = 25.0;

/// How far a line may be from where it should be.
const TOLERANCE: f64 = 0.3;

/// A line with as few of its points as its shape needs (Ramer, Douglas and Peucker).
fn simplified(line: &LineString) -> Vec<[f64; 2]> {
    let points: Vec<[f64; 2]> = line.coords().map(|at| [at.x, at.y]).collect();
    let mut kept = vec![false; points.len()];
    let mut open = Vec::new();
    if let Some(last) = points.len().checked_sub(1) {
        (kept[0], kept[last]) = (true, true);
        open.push((0, last));
    }
    while let Some((from, to)) = open.pop() {
        let far = |at: &usize| distance(points[*at], [points[from], points[to]]);
        let furthest = (from + 1..to).max_by(|a, b| far(a).total_cmp(&far(b)));
        if let Some(at) = furthest.filter(|at| far(at) > TOLERANCE) {
            kept[at] = true;
            open.extend([(from, at), (at, to)]);
        }
    }
    points.into_iter().zip(kept).filter_map(|(point, kept)| kept.then_some(point)).collect()
}

/// How far a point is from the line through two others, or from both where they are one.
fn distance([x, y]: [f64; 2], [[ax, ay], [bx, by]]: [[f64; 2]; 2]) -> f64 {
    let length = (bx - ax).hypot(by - ay);
    if length == 0.0 {
        return (x - ax).hypot(y - ay);
    }
    ((bx - ax) * (y - ay) - (by - ay) * (x - ax)).abs() / length
}

/// How high values are above the least, on a scale that is linear near the ground and logarithmic
/// above the lowest twentieth.
fn heights(values: &[f64], least: f64) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let low = sorted.get(sorted.len() / 20).map_or(1.0, |low| low - least);
    let unit = if low > 0.0 { low } else { 1.0 };
    values.iter().map(|value| ((value - least).max(0.0) / unit).ln_1p()).collect()
}
