//! Surfaces from above.

use super::style::BANDS;
use super::svg::path;
use crate::surfaces::Surface;
use anyhow::{Result, anyhow};
use burn::tensor::Device;
use contour::ContourBuilder;

/// A surface from above: its bands of height at this size, to be drawn again and again.
#[derive(Clone, Debug)]
pub struct Relief {
    /// What is seen.
    pub surface: Surface,
    /// Width and height.
    pub size: [f64; 2],
    /// For each level from low to high, all that is above it, as the data of a path.
    pub(super) bands: Vec<String>,
}

impl Relief {
    /// Looks at `cells` × `cells` places of a surface. Heights are logarithmic, so that the valleys
    /// are seen as well as the hills.
    ///
    /// # Errors
    /// If the device fails.
    pub fn new(surface: &Surface, size: [f64; 2], cells: u32, device: &Device) -> Result<Self> {
        let middle = |[from, to]: [f64; 2], cell: u32| {
            from + (to - from) * (f64::from(cell) + 0.5) / f64::from(cells)
        };
        // From the top, as pictures are.
        let rows = (0..cells).rev().map(|row| middle(surface.y, row));
        let points: Vec<_> = rows
            .flat_map(|y| (0..cells).map(move |column| [middle(surface.x, column), y]))
            .collect();
        let values = surface.values(&points, device)?;
        let heights = heights(&values, surface.least);
        let greatest = heights.iter().copied().fold(0.0, f64::max);
        let levels: Vec<f64> =
            (1..BANDS).map(|level| greatest * level as f64 / BANDS as f64).collect();
        let [width, height] = size;
        let contours = ContourBuilder::new(cells as usize, cells as usize, true)
            .x_step(width / f64::from(cells))
            .y_step(height / f64::from(cells))
            .contours(&heights, &levels)
            .map_err(|error| anyhow!("{}: {error}", surface.name))?;
        let bands = contours.iter().map(|contour| {
            let rings = contour.geometry().iter().flat_map(|polygon| {
                core::iter::once(polygon.exterior()).chain(polygon.interiors())
            });
            rings.map(|ring| path(ring.coords().map(|at| [at.x, at.y])) + "z").collect()
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

/// How high values are above the least, on a scale that is linear near the ground and logarithmic
/// above the lowest twentieth.
fn heights(values: &[f64], least: f64) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let low = sorted.get(sorted.len() / 20).map_or(1.0, |low| low - least);
    let unit = if low > 0.0 { low } else { 1.0 };
    values.iter().map(|value| ((value - least).max(0.0) / unit).ln_1p()).collect()
}
