//! Bars, in groups that have scales of their own.

use super::style::LINES;
use super::svg::{Anchor, Svg, tenths};

/// Groups of bars, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// The headline.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// From top to bottom.
    pub groups: Vec<Group>,
}

/// Bars that are compared with one another: the longest fills the width.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common.
    pub title: String,
    /// From top to bottom.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What it stands for.
    pub name: String,
    /// How long it is; not negative.
    pub value: f64,
    /// What is written behind it.
    pub text: String,
    /// The number of its colour.
    pub color: usize,
}

const WIDTH: f64 = 860.0;
const MARGIN: f64 = 16.0;
const HEAD: f64 = 62.0;
/// Where bars begin: their names stand before it.
const NAMES: f64 = 190.0;
/// What is kept free behind the longest bar for its text.
const TEXT: f64 = 170.0;
const BAR: f64 = 18.0;
const ROW: f64 = 24.0;
const TITLE: f64 = 34.0;

impl Bars {
    /// The picture.
    pub fn svg(&self) -> String {
        let rows: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let height = HEAD + TITLE * self.groups.len() as f64 + ROW * rows as f64 + MARGIN;
        let mut svg = Svg::new([WIDTH, height]);
        svg.text([MARGIN, 30.0], 18.0, ("ink", Anchor::Start), &self.title);
        svg.text([MARGIN, 50.0], 12.5, ("soft", Anchor::Start), &self.subtitle);
        let mut y = HEAD;
        for group in &self.groups {
            svg.text([MARGIN, y + 22.0], 14.0, ("ink", Anchor::Start), &group.title);
            y += TITLE;
            let longest = group.bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
            for bar in &group.bars {
                let share = if longest > 0.0 { bar.value / longest } else { 0.0 };
                let length = (share * (WIDTH - NAMES - TEXT)).max(1.0);
                let middle = y + BAR / 2.0 + 4.5;
                let (x, top, width) = (tenths(NAMES), tenths(y), tenths(length));
                svg.text([NAMES - 8.0, middle], 13.0, ("ink", Anchor::End), &bar.name);
                svg.raw(format_args!(
                    "<rect x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{BAR}\" rx=\"2\" class=\"f{}\"/>",
                    bar.color % LINES
                ));
                svg.text([NAMES + length + 8.0, middle], 13.0, ("soft", Anchor::Start), &bar.text);
                y += ROW;
            }
        }
        svg.finish(&self.title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_of_a_group_fills_the_width() {
        let bar =
            |value: f64| Bar { name: "a & b".into(), value, text: format!("{value} ms"), color: 0 };
        let group = |longest: f64| Group {
            title: "g".into(),
            bars: vec![bar(longest), bar(longest / 4.0), bar(0.0)],
        };
        let bars =
            Bars { title: "t".into(), subtitle: "s".into(), groups: vec![group(8.0), group(0.5)] };
        let svg = bars.svg();
        assert_eq!(svg.matches("width=\"500\"").count(), 2, "{svg}");
        assert_eq!(svg.matches("width=\"125\"").count(), 2, "{svg}");
        assert!(svg.contains("a &amp; b") && !svg.contains("NaN"));
    }
}
