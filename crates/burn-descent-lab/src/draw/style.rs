//! Colours, by daylight and at night.

use std::fmt::Write;

/// How many lines can be told apart by colour alone.
pub(super) const LINES: usize = 10;

/// How many colours there are from the lowest part of a surface to the highest.
pub(super) const BANDS: usize = 11;

/// The colours of a side.
struct Side {
    paper: u32,
    ink: u32,
    /// What is said beside.
    soft: u32,
    grid: u32,
    /// After Okabe and Ito, whose colours most people can tell apart.
    lines: [u32; LINES],
    /// Of a surface, the lowest part and the highest.
    bands: [u32; 2],
}

const LIGHT: Side = Side {
    paper: 0xffffff,
    ink: 0x1d2329,
    soft: 0x5b6670,
    grid: 0xe3e7eb,
    lines: [
        0x0072b2, 0xd55e00, 0x00895f, 0xb83a8c, 0xb07800, 0x7250c8, 0x9b3b2e, 0x2b2f33, 0x2a93c4,
        0x7d8b00,
    ],
    bands: [0xa9bccf, 0xfafbf9],
};

const DARK: Side = Side {
    paper: 0x14181c,
    ink: 0xe8ebee,
    soft: 0x9aa6b1,
    grid: 0x2a3138,
    lines: [
        0x4db1f5, 0xff8a4c, 0x34d3a0, 0xf08bc6, 0xf2b632, 0xae96f7, 0xe0907f, 0xe6e6e6, 0x86dbff,
        0xc6cf4a,
    ],
    bands: [0x0a0e13, 0x3b4955],
};

impl Side {
    fn band(&self, index: usize) -> u32 {
        let [from, to] = self.bands;
        let share = index as f64 / (BANDS - 1) as f64;
        [16, 8, 0].into_iter().fold(0, |color, shift| {
            let channel = |color: u32| f64::from(color >> shift & 0xff);
            color
                | ((channel(from) + (channel(to) - channel(from)) * share).round() as u32) << shift
        })
    }

    /// The rules of a picture.
    fn rules(&self) -> String {
        let Self { paper, ink, soft, grid, .. } = self;
        let mut css = format!(
            ".paper{{fill:#{paper:06x}}}.halo{{stroke:#{paper:06x}}}.ink{{fill:#{ink:06x}}}\
             .soft{{fill:#{soft:06x}}}.grid{{stroke:#{grid:06x}}}.edge{{stroke:#{soft:06x}}}\
             .mark{{stroke:#{ink:06x}}}"
        );
        for (index, color) in self.lines.iter().enumerate() {
            let _ = write!(css, ".l{index}{{stroke:#{color:06x}}}.f{index}{{fill:#{color:06x}}}");
        }
        for index in 0..BANDS {
            let _ = write!(css, ".b{index}{{fill:#{:06x}}}", self.band(index));
        }
        css
    }

    /// The properties of a page.
    fn properties(&self) -> String {
        let Self { paper, ink, soft, grid, .. } = self;
        let mut css =
            format!("--paper:#{paper:06x};--ink:#{ink:06x};--soft:#{soft:06x};--grid:#{grid:06x};");
        for (index, color) in self.lines.iter().enumerate() {
            let _ = write!(css, "--l{index}:#{color:06x};");
        }
        css
    }
}

/// The style of a picture.
pub(super) fn rules() -> String {
    let (light, dark) = (LIGHT.rules(), DARK.rules());
    format!("{light}@media(prefers-color-scheme:dark){{{dark}}}")
}

/// The colours of a page, as properties: `--paper`, `--ink`, `--soft`, `--grid`, and `--l0` and on
/// for lines.
pub(crate) fn css() -> String {
    let (light, dark) = (LIGHT.properties(), DARK.properties());
    format!(":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}")
}
