//! The orthogonal matrix that is nearest, by products alone.

use super::Matrix;
use crate::choice;

/// A step `X ← a X + (b A + c A²) X`, where `A = X Xᵀ`.
pub(crate) type Step = [f64; 3];

/// Jordan et al. 2024: to within 0.68 and 1.14 in five steps, where singular values are 0.01 or more.
const JORDAN: [Step; 1] = [[3.4445, -4.7750, 2.0315]];

/// You 2025, one triple a step: to within 3 % in five steps.
const QUINTIC: [Step; 5] = [
    [4.0848, -6.8946, 2.9270],
    [3.9505, -6.3029, 2.6377],
    [3.7418, -5.5913, 2.3037],
    [2.8769, -3.1427, 1.2046],
    [2.8366, -3.0525, 1.2012],
];

/// Amsel et al. 2025, <https://arxiv.org/abs/2505.16932>: singular values of 0.001 or more end at 1.
const POLAR_EXPRESS: [Step; 8] = [
    [8.287_212_018_145_63, -23.595_886_519_098_837, 17.300_387_312_530_933],
    [4.107_059_111_542_203, -2.947_849_916_737_910_6, 0.544_843_108_292_660_1],
    [3.948_690_853_482_294_6, -2.908_902_115_962_949, 0.551_819_139_437_013_7],
    [3.318_419_657_370_601_5, -2.488_488_024_314_874, 0.510_048_940_123_72],
    [2.300_652_019_954_817, -1.668_903_984_574_749_3, 0.418_807_311_952_567_3],
    [1.891_301_407_787_398, -1.267_995_827_194_586_8, 0.376_804_089_485_248_35],
    [1.875_001_480_853_447_9, -1.250_001_645_399_948_7, 0.375_000_164_547_424_8],
    [1.875, -1.25, 0.375],
];

/// The first five as modded-nanogpt, nanochat and dion have them, made for norms that are 2 % too large.
const DEPLOYED: [Step; 5] = [
    [8.156_554_524_902_461, -22.483_292_925_577_95, 15.878_769_915_207_462],
    [4.042_929_935_166_739, -2.808_917_465_908_714, 0.500_017_845_105_131_6],
    [3.891_667_802_292_660_7, -2.772_484_153_217_685, 0.506_064_817_850_339_3],
    [3.285_753_657_755_655, -2.368_129_493_342_537_6, 0.464_490_242_330_031_06],
    [2.346_541_325_859_637_7, -1.709_782_838_268_708_1, 0.423_235_511_693_053_23],
];

/// As DeepSeek-V4: eight of Jordan's, then two that end at 1.
const DEEPSEEK: [Step; 10] = {
    let mut steps = [JORDAN[0]; 10];
    steps[8] = [2.0, -1.5, 0.5];
    steps[9] = [2.0, -1.5, 0.5];
    steps
};

/// <https://arxiv.org/abs/2606.00371>: no square of the Gram matrix, so the cheapest steps.
const CUBIC: [Step; 5] = [
    [3.365_657_6, -3.342_099_2, 0.0],
    [2.574_435_2, -1.495_737_6, 0.0],
    [2.536_896_2, -1.431_257, 0.0],
    [2.441_890_6, -1.276_404, 0.0],
    [2.223_047_2, -0.963_065, 0.0],
];

choice! {
    /// Coefficients of a Newton-Schulz iteration.
    pub enum Coefficients {
        /// Jordan's triple.
        Jordan = "jordan",
        /// A triple a step, of which five end within 3 % of 1.
        Quintic = "quintic",
        /// Polar Express, as its paper has it: eight steps end at 1.
        PolarExpress = "polar_express",
        /// Polar Express in five steps, for a norm that is 2 % too large.
        PolarExpressDeployed = "polar_express_deployed",
        /// Jordan's, and two steps that end at 1: ten.
        DeepSeek = "deepseek",
        /// No square of the Gram matrix.
        Cubic = "cubic",
        /// A triple of one's own.
        Own = "own",
    }
}

impl Coefficients {
    /// The triples of so many steps: the last is repeated where there are fewer.
    pub(crate) fn steps(self, count: u64, own: Step) -> impl Iterator<Item = Step> {
        let triples: Vec<Step> = match self {
            Self::Jordan => JORDAN.into(),
            Self::Quintic => QUINTIC.into(),
            Self::PolarExpress => POLAR_EXPRESS.into(),
            Self::PolarExpressDeployed => DEPLOYED.into(),
            Self::DeepSeek => DEEPSEEK.into(),
            Self::Cubic => CUBIC.into(),
            Self::Own => vec![own],
        };
        (0..count as usize).map(move |number| triples[number.min(triples.len() - 1)])
    }
}

/// The nearest matrix of which all singular values are 1, as far as these steps come: `X ← X / norm`, then a step
/// after another. The smaller side is that of the Gram matrix.
pub(crate) fn newton_schulz<M: Matrix>(x: M, steps: impl Iterator<Item = Step>) -> M {
    let [_, rows, columns] = x.dims();
    let is_tall = rows > columns;
    let mut x = if is_tall { x.transpose() } else { x };
    for [a, b, c] in steps {
        let gram = x.gram();
        let mut factor = gram.scale(b);
        if c != 0.0 {
            factor = factor + gram.times(&gram).scale(c);
        }
        x = x.scale(a) + factor.times(&x);
    }
    if is_tall { x.transpose() } else { x }
}

/// The same by the Gram matrix alone, which saves work where one side is longer: `X` is multiplied once in
/// `restart` steps (<https://github.com/Dao-AILab/gram-newton-schulz>).
pub(crate) fn gram_newton_schulz<M: Matrix>(
    x: M,
    steps: impl Iterator<Item = Step>,
    restart: usize,
) -> M {
    let [_, rows, columns] = x.dims();
    let is_tall = rows > columns;
    let mut x = if is_tall { x.transpose() } else { x };
    let side = rows.min(columns);
    let identity = x.identity(side);
    let (mut gram, mut product) = (x.gram(), None::<M>);
    for (number, [a, b, c]) in steps.enumerate() {
        if number > 0
            && number == restart
            && let Some(so_far) = product.take()
        {
            x = so_far.times(&x);
            gram = x.gram();
        }
        let factor = gram.scale(b) + gram.times(&gram).scale(c) + identity.scale(a);
        gram = factor.times(&gram).times(&factor);
        product = Some(match product {
            None => factor,
            Some(so_far) => factor.times(&so_far),
        });
    }
    let x = product.map_or(x.clone(), |product| product.times(&x));
    if is_tall { x.transpose() } else { x }
}
