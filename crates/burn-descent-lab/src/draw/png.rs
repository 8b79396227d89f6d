//! A picture as pixels.

use anyhow::{Context, Result};
use epaint_default_fonts::UBUNTU_LIGHT;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels for each unit of a picture, for screens that show them.
const SCALE: f32 = 2.0;

/// The light side of an SVG document as a PNG file, with the same font everywhere.
///
/// # Errors
/// If it is no SVG, or too large.
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| face.families.first());
    let family = family.context("the font cannot be read")?.0.clone();
    fonts.set_sans_serif_family(family);
    let tree = Tree::from_str(svg, &options).context("the picture cannot be read")?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("the picture is too large")?;
    let mut pixels =
        Pixmap::new(size.width(), size.height()).context("the picture is too large")?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("the picture cannot be written")
}
