//! Lines over a common axis.

use super::axis::Scale;
use super::style::LINES;
use super::svg::{Anchor, Svg, path};
use crate::numbers::short;
use crate::report::{Axis, Chart, Line};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 320.0;
/// What is left of the numbers of the upward axis: its name.
const NAME: f64 = 34.0;
/// What a letter of these numbers takes at most.
const LETTER: f64 = 7.0;
const RIGHT: f64 = 24.0;
const LEGEND_LINE: f64 = 20.0;

/// The picture of a chart.
pub fn chart(chart: &Chart) -> String {
    let legend = legend(&chart.lines);
    let rows = legend.last().map_or(0.0, |(_, [_, y])| y / LEGEND_LINE + 1.0);
    let top = 48.0 + LEGEND_LINE * rows + 8.0;
    let along = |axis: &Axis, index: usize, places| {
        let points = chart.lines.iter().flat_map(|line| &line.points);
        let points = points.filter_map(|point| point[index]);
        let bands = chart.lines.iter().flat_map(|line| &line.band);
        // Of `[x, lower, upper]` the first is of one axis, the others are of the other.
        let bands = bands.flat_map(|around| around[index..=2 * index].iter().copied());
        Scale::around(points.chain(bands), axis.logarithmic, places)
    };
    let up = along(&chart.y, 1, [HEIGHT, 0.0]);
    let rows: Vec<(f64, String)> =
        up.ticks(6.0).into_iter().filter_map(|tick| Some((up.place(tick)?, short(tick)))).collect();
    let letters = rows.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    let left = NAME + LETTER * letters.max(4) as f64 + 8.0;
    let (right, bottom) = (WIDTH - RIGHT, top + HEIGHT);
    let across = along(&chart.x, 0, [0.0, right - left]);
    let mut svg = Svg::new([WIDTH, bottom + 52.0]);
    svg.raw(STYLE);
    svg.text([20.0, 30.0], 19.0, ("ink", Anchor::Start), &chart.title);
    for (index, (name, [x, y])) in legend.iter().enumerate() {
        let (x, y) = (x + 20.0, y + 56.0);
        svg.line([x, y - 4.0], [x + 20.0, y - 4.0], &class(index));
        svg.text([x + 26.0, y], 13.0, ("ink", Anchor::Start), name);
    }
    for tick in across.ticks(8.0) {
        let Some(x) = across.place(tick).map(|place| left + place) else { continue };
        svg.line([x, top], [x, bottom], "grid");
        svg.text([x, bottom + 18.0], 12.0, ("soft", Anchor::Middle), &short(tick));
    }
    for (place, text) in &rows {
        let y = top + place;
        svg.line([left, y], [right, y], "grid");
        svg.text([left - 8.0, y + 4.0], 12.0, ("soft", Anchor::End), text);
    }
    let middle = (left + right) / 2.0;
    svg.text([middle, bottom + 40.0], 13.0, ("ink", Anchor::Middle), &chart.x.name);
    svg.raw(format_args!("<g transform=\"translate(22 {}) rotate(-90)\">", top + HEIGHT / 2.0));
    svg.text([0.0, 0.0], 13.0, ("ink", Anchor::Middle), &chart.y.name);
    svg.raw("</g>");
    svg.window([left, top], [right - left, HEIGHT], |svg| {
        for (index, line) in chart.lines.iter().enumerate() {
            let edge = |side: usize| {
                let place = move |around: &[f64; 3]| {
                    Some([across.place(around[0])?, up.place(around[side])?])
                };
                line.band.iter().map(place).collect::<Option<Vec<_>>>()
            };
            if let (Some(lower), Some(upper)) = (edge(1), edge(2)) {
                let outline = lower.into_iter().chain(upper.into_iter().rev());
                svg.raw(format!(
                    "<path class=\"band f{}\" d=\"{}\"/>",
                    index % LINES,
                    path(outline)
                ));
            }
        }
        for (index, line) in chart.lines.iter().enumerate() {
            for piece in pieces(line, &across, &up) {
                svg.raw(match piece[..] {
                    [[x, y]] => {
                        let color = index % LINES;
                        format!(
                            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" class=\"f{color}\"/>"
                        )
                    }
                    _ => format!("<path class=\"{}\" d=\"{}\"/>", class(index), path(piece)),
                });
            }
        }
    });
    svg.finish(&chart.title)
}

const STYLE: &str = "<style>.line{fill:none;stroke-width:1.8;stroke-linejoin:round}\
.band{opacity:.16}.dashed{stroke-dasharray:6 3}.dotted{stroke-dasharray:2 3}</style>";

/// Colours first, then how the line is made.
fn class(index: usize) -> String {
    let made = ["", " dashed", " dotted"][index / LINES % 3];
    format!("line l{}{made}", index % LINES)
}

/// The names of lines, one after another as long as there is room; and where they are.
fn legend(lines: &[Line]) -> Vec<(&str, [f64; 2])> {
    let mut at = [0.0, 0.0];
    let place = |line: &'_ Line| {
        let width = 44.0 + 7.0 * line.name.chars().count() as f64;
        if at[0] > 0.0 && at[0] + width > WIDTH - 40.0 {
            at = [0.0, at[1] + LEGEND_LINE];
        }
        let here = at;
        at[0] += width;
        here
    };
    lines.iter().map(|line| line.name.as_str()).zip(lines.iter().map(place)).collect()
}

/// The parts of a line between its gaps.
fn pieces(line: &Line, across: &Scale, up: &Scale) -> Vec<Vec<[f64; 2]>> {
    let place = |[x, y]: &[Option<f64>; 2]| Some([across.place((*x)?)?, up.place((*y)?)?]);
    let places: Vec<_> = line.points.iter().map(place).collect();
    let pieces = places.split(Option::is_none).filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.iter().copied().flatten().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(points: &[[Option<f64>; 2]]) -> String {
        let axis = |logarithmic| Axis { name: "a < b".into(), logarithmic };
        let line = |name: &str| Line::new(name, points.to_vec());
        chart(&Chart {
            name: "test".into(),
            title: "a & b".into(),
            x: axis(false),
            y: axis(true),
            lines: vec![line("first"), line("second")],
        })
    }

    #[test]
    fn gaps_cut_lines() {
        let points = [[0.0, 1.0], [1.0, 2.0], [2.0, 0.0], [3.0, 1.0], [4.0, 3.0]];
        let svg = with(&points.map(|point| point.map(Some)));
        assert_eq!(
            svg.matches("<path class=\"line l0\"").count(),
            2,
            "0 is on no logarithmic axis"
        );
        assert!(svg.contains("a &lt; b") && svg.contains("a &amp; b"));
    }

    #[test]
    fn a_band_lies_behind_its_line_and_has_room() {
        let axis = || Axis { name: "x".into(), logarithmic: false };
        let band = vec![[0.0, 1.0, 3.0], [1.0, 1.5, 99.0]];
        let line =
            Line { band, ..Line::new("a", vec![[Some(0.0), Some(2.0)], [Some(1.0), Some(3.0)]]) };
        let svg = chart(&Chart {
            name: "test".into(),
            title: "test".into(),
            x: axis(),
            y: axis(),
            lines: vec![line],
        });
        let (band, line) = (svg.find("class=\"band f0\""), svg.find("class=\"line l0\" d="));
        assert!(band.is_some() && band < line);
        assert!(svg.contains(">80<") || svg.contains(">100<"), "the axis reaches to it");
    }

    #[test]
    fn numbers_of_any_length_have_room_beside_the_name_of_their_axis() {
        for greatest in [0.1, 123.0, 99_999.0, 3.75e12, -1.25e-30, 1e300] {
            let axis = || Axis { name: "loss".into(), logarithmic: false };
            let points = vec![[Some(0.0), Some(0.8 * greatest)], [Some(1.0), Some(greatest)]];
            let (x, y) = (axis(), axis());
            let (name, title, lines) = ("test".into(), "test".into(), vec![Line::new("a", points)]);
            let svg = chart(&Chart { name, title, x, y, lines });
            let numbers = svg.lines().filter(|line| line.contains("text-anchor=\"end\""));
            for number in numbers {
                let between = |from: &str, to: &str| {
                    number.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap().0
                };
                let (x, text) = (between("x=\"", "\"").parse::<f64>().unwrap(), between(">", "<"));
                assert!(x - 7.0 * text.chars().count() as f64 >= 30.0, "{number}");
            }
        }
    }

    #[test]
    fn any_points_can_be_drawn() {
        for points in [&[][..], &[[None, None]], &[[Some(1.0), Some(2.0)]], &[[Some(1.0), None]]] {
            assert!(!with(points).contains("NaN"));
        }
    }
}
