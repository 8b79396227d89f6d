//! SVG, written out.

use super::style;
use std::fmt::{Display, Write};

/// A picture in the making.
pub(super) struct Svg {
    size: [f64; 2],
    body: String,
}

/// Which end of a text is where it is put.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Svg {
    /// Of this width and height.
    pub(super) fn new(size: [f64; 2]) -> Self {
        Self { size, body: String::new() }
    }

    /// Something that is SVG already.
    pub(super) fn raw(&mut self, element: impl Display) {
        let _ = writeln!(self.body, "{element}");
    }

    pub(super) fn text(&mut self, at: [f64; 2], size: f64, style: (&str, Anchor), text: &str) {
        let (class, anchor) = style;
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let ([x, y], text) = (at.map(tenths), escape(text));
        self.raw(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" class=\"{class}\"{anchor}>{text}</text>"
        ));
    }

    pub(super) fn line(&mut self, from: [f64; 2], to: [f64; 2], class: &str) {
        let ([x1, y1], [x2, y2]) = (from.map(tenths), to.map(tenths));
        self.raw(format_args!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>"
        ));
    }

    /// What is drawn by `inside` is clipped at a window, whose corner is its origin.
    pub(super) fn window(
        &mut self,
        corner: [f64; 2],
        size: [f64; 2],
        inside: impl FnOnce(&mut Self),
    ) {
        let ([x, y], [width, height]) = (corner.map(tenths), size.map(tenths));
        self.raw(format_args!("<svg x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\">"));
        inside(self);
        self.raw("</svg>");
    }

    /// The whole document; `title` is for those who cannot see it.
    pub(super) fn finish(self, title: &str) -> String {
        let ([width, height], body, title) = (self.size.map(tenths), self.body, escape(title));
        let style = style::rules();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" font-family=\"system-ui,sans-serif\" role=\"img\">\n\
             <title>{title}</title>\n<style>{style}</style>\n\
             <rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n{body}</svg>\n"
        )
    }
}

/// Points as the data of a path: a tenth of a unit exact, from one to the next. Points that are the
/// same at that are one.
pub(super) fn path(points: impl IntoIterator<Item = [f64; 2]>) -> String {
    // Beyond this nothing is seen, and numbers stay exact.
    let whole = |point: [f64; 2]| point.map(|at| (at * 10.0).clamp(-1e7, 1e7).round() as i64);
    let mut data = String::new();
    let mut last: Option<[i64; 2]> = None;
    for point in points {
        let [x, y] = whole(point);
        if let Some([a, b]) = last {
            if [a, b] == [x, y] {
                continue;
            }
            // The first `l` is of all that follow.
            let first = if data.contains('l') { "" } else { "l" };
            let step = pair([x - a, y - b]);
            let between = if first.is_empty() && !step.starts_with('-') { " " } else { "" };
            data += &format!("{first}{between}{step}");
        } else {
            data = format!("M{}", pair([x, y]));
        }
        last = Some([x, y]);
    }
    data
}

/// Two numbers of tenths, as short as a path may have them.
fn pair([x, y]: [i64; 2]) -> String {
    let y = short(y);
    let between = if y.starts_with('-') { "" } else { " " };
    short(x) + between + &y
}

fn short(tenths: i64) -> String {
    let (sign, size) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
    match (size / 10, size % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, tenth) => format!("{sign}.{tenth}"),
        (whole, tenth) => format!("{sign}{whole}.{tenth}"),
    }
}

/// A number to a tenth.
pub(super) fn tenths(number: f64) -> String {
    short((number * 10.0).round() as i64)
}

/// A text that is no markup.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short_and_exact() {
        let points = [[1.0, 2.0], [1.04, 2.0], [1.5, 1.75], [0.0, 1.8], [f64::MAX, 0.0]];
        assert_eq!(path(points), "M1 2l.5-.2-1.5 0 1000000-1.8");
        assert_eq!(path([]), "");
    }

    #[test]
    fn texts_are_no_markup() {
        let mut svg = Svg::new([10.0, 10.0]);
        svg.text([0.0, 0.0], 9.0, ("ink", Anchor::Start), "<script>&\"");
        let text = svg.finish("</title>");
        assert!(text.contains("&lt;script&gt;&amp;&quot;") && text.contains("&lt;/title&gt;"));
    }
}
