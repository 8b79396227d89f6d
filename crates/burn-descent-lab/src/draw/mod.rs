//! Pictures as SVG, which have a light and a dark side, and as PNG.

mod axis;
mod bars;
mod chart;
mod contours;
mod panels;
mod png;
mod style;
mod svg;

pub use bars::{Bar, Bars, Group};
pub use chart::chart;
pub use contours::Relief;
pub use panels::{Panel, Panels, Trail};
pub use png::png;
pub(crate) use style::css;
