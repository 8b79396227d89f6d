//! The orthogonal matrix that is nearest, by products alone.

use crate::Matrix;
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

/// The same for norms that are up to 1 % too small, as timm and pytorch_optimizer have it.
const POLAR_EXPRESS_SAFE: [Step; 8] = [
    [8.237_312_490_495_555, -23.157_747_414_558_198, 16.680_568_411_445_915],
    [4.082_441_999_064_835, -2.893_047_735_332_586, 0.525_284_925_697_564_8],
    [3.926_347_992_254_658_2, -2.854_746_803_476_529_8, 0.531_802_242_289_498_8],
    [3.298_218_713_308_514_3, -2.424_541_981_026_706, 0.486_320_083_588_440_75],
    [2.297_036_943_455_257_3, -1.636_625_581_259_03, 0.400_262_845_595_362_7],
    [1.876_380_535_144_039_7, -1.234_789_657_772_222_8, 0.358_918_875_016_684_95],
    [1.856_442_348_561_797_4, -1.213_244_988_093_552_5, 0.356_800_348_782_588_3],
    [1.874_999_400_868_274_7, -1.249_998_801_722_916_9, 0.374_999_400_854_642_2],
];

/// The same for 2 %.
const POLAR_EXPRESS_SAFER: [Step; 8] = [
    [8.156_554_524_902_461, -22.483_292_925_577_95, 15.878_769_915_207_462],
    [4.042_929_935_166_724_5, -2.808_917_465_908_704, 0.500_017_845_105_129_9],
    [3.891_667_802_292_656_3, -2.772_484_153_217_682_5, 0.506_064_817_850_338_9],
    [3.285_753_657_755_658, -2.368_129_493_342_539_4, 0.464_490_242_330_031_17],
    [2.300_530_711_627_098_3, -1.611_166_555_725_840_8, 0.383_337_442_754_527_3],
    [1.863_121_054_638_259_3, -1.204_216_062_100_272_7, 0.342_187_956_052_338_3],
    [1.838_257_215_224_751_2, -1.177_926_328_953_774_2, 0.339_651_303_863_737_9],
    [1.874_999_992_330_185_2, -1.249_999_983_606_061_3, 0.374_999_991_275_876],
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
        /// The same for norms that are up to 1 % too small, as timm's `polar_express`.
        PolarExpressSafe = "polar_express_safe",
        /// The same for 2 %, as timm's `polar_express_safer`.
        PolarExpressSafer = "polar_express_safer",
        /// Polar Express in five steps, for a norm that is 2 % too large.
        PolarExpressDeployed = "deployed",
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
            Self::PolarExpressSafe => POLAR_EXPRESS_SAFE.into(),
            Self::PolarExpressSafer => POLAR_EXPRESS_SAFER.into(),
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
        let gram = x.times_roughly(&x.transpose());
        let factor = match c {
            0.0 => gram.scale(b),
            _ => {
                let square = gram.times_roughly(&gram).scale(c);
                gram.scale(b) + square
            }
        };
        let product = factor.times_roughly(&x);
        x = x.scale(a) + product;
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
    let (mut gram, mut product) = (x.times_roughly(&x.transpose()), None::<M>);
    for (number, [a, b, c]) in steps.enumerate() {
        if number > 0
            && number == restart
            && let Some(so_far) = product.take()
        {
            x = so_far.times_roughly(&x);
            gram = x.times_roughly(&x.transpose());
        }
        let square = gram.times_roughly(&gram).scale(c);
        let factor = gram.clone().scale(b) + square + identity.clone().scale(a);
        gram = factor.times_roughly(&gram).times_roughly(&factor);
        product = Some(match product {
            None => factor,
            Some(so_far) => factor.times_roughly(&so_far),
        });
    }
    let x = product.map_or(x.clone(), |product| product.times_roughly(&x));
    if is_tall { x.transpose() } else { x }
}

#[cfg(test)]
mod tests {
    use super::Coefficients::{self, *};
    use super::{gram_newton_schulz, newton_schulz};
    use crate::matrix::{Dense, Matrix};

    const JORDANS: [f64; 3] = super::JORDAN[0];

    /// Where singular values end: those of matrices of one number are the number.
    fn ends(of: Coefficients, count: u64, least: f64, safety: f64) -> [f64; 2] {
        let number = |place: i32| least.powf(1.0 - f64::from(place) / 2000.0) / safety;
        let numbers: Vec<f64> = (0..=2000).map(number).collect();
        let x = Dense { dims: [numbers.len(), 1, 1], numbers };
        let ends = newton_schulz(x, of.steps(count, JORDANS)).numbers;
        [ends.iter().copied().fold(f64::MAX, f64::min), ends.iter().copied().fold(0.0, f64::max)]
    }

    #[test]
    fn singular_values_end_where_the_tables_say() {
        for (of, count, least, safety, [low, high]) in [
            (Jordan, 5, 1e-3, 1.0, [0.470, 1.202]),
            (Jordan, 5, 1e-2, 1.0, [0.682, 1.134]),
            (Quintic, 5, 1e-3, 1.0, [0.475, 1.145]),
            (Quintic, 5, 1e-2, 1.0, [0.978, 1.032]),
            (PolarExpress, 5, 1e-3, 1.0, [0.876, 1.124]),
            (PolarExpress, 8, 1e-3, 1.0, [1.0, 1.0]),
            (PolarExpress, 8, 1e-3, 1.01, [1.0, 1.0]),
            (PolarExpressSafe, 8, 1e-3, 1.0, [1.0, 1.0]),
            (PolarExpressSafe, 8, 1e-3, 1.01, [1.0, 1.0]),
            (PolarExpressSafer, 8, 1e-3, 1.0, [1.0, 1.0]),
            (PolarExpressSafer, 8, 1e-3, 1.02, [1.0, 1.0]),
            (PolarExpressDeployed, 5, 1e-3, 1.02, [0.847, 1.141]),
            (PolarExpressDeployed, 5, 1e-2, 1.02, [0.859, 1.141]),
            (DeepSeek, 10, 1e-3, 1.0, [1.0, 1.0005]),
            (Cubic, 5, 1e-3, 1.0, [0.119, 1.300]),
            (Cubic, 5, 1e-2, 1.0, [0.774, 1.300]),
            (Own, 5, 1e-2, 1.0, [0.682, 1.134]),
        ] {
            let found = ends(of, count, least, safety);
            let is_inside = found[0] > low - 1e-3 && found[1] < high + 1e-3;
            assert!(is_inside, "{of:?}, {count} steps from {least}: {found:?}");
        }
    }

    /// Numbers that look like random ones, of a norm of about 1.
    fn mixed(dims: [usize; 3]) -> Dense<f64> {
        let count = dims.iter().product::<usize>();
        let numbers: Vec<f64> =
            (0..count).map(|i| (i as f64 * 12.9898).sin() * 43758.5453 % 1.0).collect();
        let x = Dense { dims, numbers };
        x.clone() / x.norm()
    }

    #[test]
    fn by_the_gram_matrix_it_is_the_same_but_for_rounding() {
        for dims in [[1, 6, 10], [2, 9, 4], [1, 5, 5], [1, 1, 7], [1, 7, 1]] {
            for of in [Jordan, Quintic, PolarExpress, Cubic] {
                for restart in [0, 1, 2, 4] {
                    let plain = newton_schulz(mixed(dims), of.steps(5, JORDANS));
                    let gram = gram_newton_schulz(mixed(dims), of.steps(5, JORDANS), restart);
                    let apart = (plain - gram).abs().numbers.into_iter().fold(0.0, f64::max);
                    assert!(apart < 1e-12, "{of:?} {dims:?} {restart}: {apart:e}");
                }
            }
        }
    }

    #[test]
    fn eight_steps_of_polar_express_make_it_orthogonal() {
        for dims in [[1, 6, 10], [2, 9, 4]] {
            let x = newton_schulz(mixed(dims), PolarExpress.steps(8, JORDANS));
            let x = if dims[1] > dims[2] { x.transpose() } else { x };
            let identity = x.identity(dims[1].min(dims[2]));
            let apart = (x.gram() - identity).abs().numbers.into_iter().fold(0.0, f64::max);
            assert!(apart < 1e-6, "{dims:?}: {apart:e}");
        }
    }
}
