//! Walks on surfaces, seen from above.

use super::axis::Scale;
use super::contours::Relief;
use super::style::LINES;
use super::svg::{Anchor, Svg, path, tenths};
use crate::numbers::short;
use std::collections::BTreeSet;

/// At most so many points of a walk are shown one after another.
const MOMENTS: usize = 120;

/// How long a walk plays, in seconds.
const SECONDS: u32 = 8;

/// Walks on surfaces, one beside the other.
#[derive(Clone, Debug)]
pub struct Panels<'a> {
    /// The headline.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// How many stand beside one another.
    pub columns: usize,
    /// The surfaces with the walks, from left to right and from top to bottom.
    pub panels: Vec<Panel<'a>>,
    /// Are numbers at the edges?
    pub axes: bool,
    /// The names of the colours, each with something that is said below it.
    pub legend: Vec<[String; 2]>,
}

/// Walks on a surface.
#[derive(Clone, Debug)]
pub struct Panel<'a> {
    /// What is said above it.
    pub title: String,
    /// What is said below the title.
    pub note: String,
    /// The surface.
    pub relief: &'a Relief,
    /// The walks.
    pub trails: Vec<Trail<'a>>,
}

/// A walk.
#[derive(Clone, Copy, Debug)]
pub struct Trail<'a> {
    /// The points of the surface, from the start.
    pub points: &'a [[f64; 2]],
    /// The number of its colour, which is its place in the legend.
    pub color: usize,
}

const MARGIN: f64 = 16.0;
const HEAD: f64 = 58.0;
/// What an entry of the legend takes.
const ENTRY: [f64; 2] = [194.0, 40.0];

/// What stands around each panel.
struct Around {
    left: f64,
    above: f64,
    below: f64,
}

impl Panels<'_> {
    /// The picture. Dots run along the walks, at the speed of the steps.
    pub fn svg(&self) -> String {
        let titled = self.panels.iter().any(|panel| !panel.title.is_empty());
        let (left, below) = if self.axes { (30.0, 22.0) } else { (0.0, 6.0) };
        let around = Around { left, above: if titled { 36.0 } else { 0.0 }, below };
        let columns = self.columns.max(1);
        let [width, height] = self.panels.first().map_or([0.0; 2], |panel| panel.relief.size);
        let cell = [left + width + MARGIN, around.above + height + around.below];
        let rows = self.panels.len().div_ceil(columns);
        let [right, bottom] =
            [MARGIN + cell[0] * columns as f64, HEAD + cell[1] * rows as f64 + 6.0];
        let abreast = (((right - MARGIN) / ENTRY[0]) as usize).max(1);
        let legend = ENTRY[1] * self.legend.len().div_ceil(abreast) as f64;
        let mut svg = Svg::new([right, bottom + legend]);
        svg.raw(STYLE);
        let trails = self.panels.iter().flat_map(|panel| &panel.trails);
        let colors: BTreeSet<usize> = trails.map(|trail| trail.color % LINES).collect();
        colors.into_iter().for_each(|color| svg.raw(step(color)));
        svg.text([MARGIN, 30.0], 19.0, ("ink", Anchor::Start), &self.title);
        svg.text([MARGIN, 48.0], 12.5, ("soft", Anchor::Start), &self.subtitle);
        for (index, panel) in self.panels.iter().enumerate() {
            let (column, row) = ((index % columns) as f64, (index / columns) as f64);
            panel.draw(&mut svg, [MARGIN + cell[0] * column, HEAD + cell[1] * row], &around, self);
        }
        for (index, [name, note]) in self.legend.iter().enumerate() {
            let (column, row) = ((index % abreast) as f64, (index / abreast) as f64);
            let [x, y] = [MARGIN + left + ENTRY[0] * column, bottom + 14.0 + ENTRY[1] * row];
            let class = format!("l{} legend", index % LINES);
            svg.line([x, y - 4.0], [x + 18.0, y - 4.0], &class);
            svg.text([x + 25.0, y], 13.0, ("ink", Anchor::Start), name);
            svg.text([x + 25.0, y + 15.0], 11.0, ("soft", Anchor::Start), note);
        }
        svg.finish(&self.title)
    }
}

/// Rules for what only panels have. Who wants no motion sees none.
const STYLE: &str = "<style>.walk,.halo{fill:none;stroke-linejoin:round}\
.walk{stroke-width:1.4}.halo{stroke-width:3;stroke-opacity:.55}.legend{stroke-width:3}\
.edge,.mark{fill:none}.mark{stroke-width:1.4}.dot{stroke-width:1.2}\
@media(prefers-reduced-motion){.run{display:none}}</style>";

/// The dot at each step of a walk.
fn step(color: usize) -> String {
    format!(
        "<marker id=\"s{color}\" viewBox=\"-2 -2 4 4\" markerWidth=\"3\" markerHeight=\"3\" \
         markerUnits=\"userSpaceOnUse\"><circle r=\"2\" class=\"f{color}\"/></marker>"
    )
}

impl Panel<'_> {
    fn draw(&self, svg: &mut Svg, [x, y]: [f64; 2], around: &Around, all: &Panels) {
        let (relief, [left, top]) = (self.relief, [x + around.left, y + around.above]);
        let [width, height] = relief.size;
        if around.above > 0.0 {
            svg.text([left, top - 20.0], 13.0, ("ink", Anchor::Start), &self.title);
            svg.text([left, top - 6.0], 11.0, ("soft", Anchor::Start), &self.note);
        }
        svg.window([left, top], relief.size, |svg| {
            svg.raw("<rect width=\"100%\" height=\"100%\" class=\"b0\"/>");
            for (color, data) in &relief.bands {
                svg.raw(format_args!(
                    "<path fill-rule=\"evenodd\" class=\"b{color}\" d=\"{data}\"/>"
                ));
            }
            for minimum in relief.surface.minima {
                let [x, y] = relief.place(*minimum).map(tenths);
                svg.raw(format_args!("<path class=\"mark\" d=\"M{x} {y}m-4-4l8 8m0-8l-8 8\"/>"));
            }
            self.trails.iter().for_each(|trail| trail.draw(svg, relief));
            let [x, y] = relief.place(relief.surface.start).map(tenths);
            svg.raw(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"4.5\" class=\"mark\"/>"));
        });
        let [x, y, w, h] = [left, top, width, height].map(tenths);
        svg.raw(format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" class=\"edge\"/>"
        ));
        if all.axes {
            let (right, bottom) = (left + width, top + height);
            let across = Scale::new(relief.surface.x, [left, right]);
            for tick in across.ticks(width / 60.0) {
                let place = across.place(tick).unwrap_or(left);
                svg.text([place, bottom + 15.0], 11.0, ("soft", Anchor::Middle), &short(tick));
            }
            let up = Scale::new(relief.surface.y, [bottom, top]);
            for tick in up.ticks(height / 60.0) {
                let place = up.place(tick).unwrap_or(bottom);
                svg.text([left - 6.0, place + 4.0], 11.0, ("soft", Anchor::End), &short(tick));
            }
        }
    }
}

impl Trail<'_> {
    fn draw(&self, svg: &mut Svg, relief: &Relief) {
        let places: Vec<[f64; 2]> = self.points.iter().map(|point| relief.place(*point)).collect();
        let Some([x, y]) = places.last().map(|place| place.map(tenths)) else { return };
        let (data, color) = (path(places.iter().copied()), self.color % LINES);
        svg.raw(format_args!("<path class=\"halo\" d=\"{data}\"/>"));
        svg.raw(format_args!(
            "<path class=\"walk l{color}\" marker-mid=\"url(#s{color})\" d=\"{data}\"/>"
        ));
        let [xs, ys] = [0, 1].map(|axis| moments(&places).map(|p| tenths(p[axis])).collect());
        let [xs, ys]: [Vec<String>; 2] = [xs, ys];
        let run = |axis: &str, values: Vec<String>| {
            format!(
                "<animate attributeName=\"{axis}\" dur=\"{SECONDS}s\" repeatCount=\"indefinite\" \
                 values=\"{}\"/>",
                values.join(";")
            )
        };
        svg.raw(format_args!(
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" class=\"dot halo\"/>\
             <circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" class=\"f{color}\"/>\
             <circle cx=\"{x}\" cy=\"{y}\" r=\"3.5\" class=\"f{color} run\">{}{}</circle>",
            run("cx", xs),
            run("cy", ys)
        ));
    }
}

/// Some of the places of a walk, equally many steps apart, from the first to the last.
fn moments(places: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> {
    let shown = places.len().min(MOMENTS);
    (0..shown).map(move |moment| {
        let [x, y] = places[moment * (places.len() - 1) / (shown - 1).max(1)];
        [x.clamp(-1e4, 1e4), y.clamp(-1e4, 1e4)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_from_first_to_last() {
        let places: Vec<[f64; 2]> = (0..1000).map(|i| [f64::from(i), 0.0]).collect();
        let shown: Vec<_> = moments(&places).collect();
        assert_eq!((shown.len(), shown[0][0], shown[MOMENTS - 1][0]), (MOMENTS, 0.0, 999.0));
        assert_eq!(moments(&places[..1]).count(), 1);
        assert_eq!(moments(&[]).count(), 0);
    }
}
