//! How weights of two bytes are kept.

use super::Dice;
use super::halves::{narrow_by_chance, nearest, widened};
use burn::tensor::{bf16, f16};
use core::fmt;
use core::str::FromStr;

/// How weights in bf16 and f16 are kept. They are computed in f32, and a step that is less than half of what tells two of
/// them apart, a 512th of a weight in bf16, would leave them where they are.
///
/// ```
/// # use burn_descent_engine::burn_descent;
/// use burn::tensor::{DType, Device, Tensor};
/// use burn_descent::{Build, Sgd, Weights};
///
/// let options = (&Device::default(), DType::BF16);
/// let ones = |by: f64| Tensor::<1>::full([64], by, options);
/// let walk = |weights| {
///     let sgd = Sgd::new().build()?.keep_weights(weights);
///     let mut state = sgd.start(&ones(1.0));
///     let mut x = ones(1.0);
///     for _ in 0..100 {
///         x = sgd.advance(1e-4, x, ones(1.0), &mut state)?;
///     }
///     Ok::<_, Box<dyn std::error::Error>>(x.into_data().iter::<f32>().next().unwrap())
/// };
/// assert_eq!(walk(Weights::AsTheyAre)?, 1.0);
/// assert_eq!(walk(Weights::Split)?, 0.98828125); // 0.99 in bf16
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Weights {
    /// Rounded to the nearest number: a small step may be lost.
    #[default]
    AsTheyAre,
    /// Rounded up or down by chance, so that the mean is right. No memory.
    Stochastic,
    /// With what rounding has lost beside each of them, in two bytes of the same type. That is rounded in turn: ten thousand
    /// steps of 3e-5 from 1.0 end 1.4 % off their way in bf16, and 0.1 % in f16.
    Kahan,
    /// With the lower half of an f32 beside each bf16: exactly the walk of f32 weights, in four bytes. For bf16 only.
    Split,
}

impl Weights {
    /// Is there something beside each weight?
    pub(crate) fn has_lost(self) -> bool {
        matches!(self, Self::Kahan | Self::Split)
    }

    /// What stands for it in a file.
    pub(crate) fn number(self) -> u64 {
        Self::ALL.iter().position(|(_, weights)| *weights == self).unwrap_or(0) as u64
    }

    /// What a number in a file stands for.
    pub(crate) fn of_number(number: u64) -> Option<Self> {
        Some(Self::ALL.get(usize::try_from(number).ok()?)?.1)
    }

    const ALL: [(&'static str, Self); 4] = [
        ("as-they-are", Self::AsTheyAre),
        ("stochastic", Self::Stochastic),
        ("kahan", Self::Kahan),
        ("split", Self::Split),
    ];
}

impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, weights)| weights == self);
        f.write_str(name.map_or("", |(name, _)| name))
    }
}

/// Why a text is no [`Weights`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("weights are kept as-they-are, stochastic, kahan or split, not `{0}`")]
pub struct UnknownWeights(String);

impl FromStr for Weights {
    type Err = UnknownWeights;

    fn from_str(text: &str) -> Result<Self, UnknownWeights> {
        let named = Self::ALL.iter().find(|(name, _)| *name == text);
        named.map(|(_, weights)| *weights).ok_or_else(|| UnknownWeights(text.into()))
    }
}

/// A type of two bytes that weights may have.
pub(crate) trait Narrow: Copy + Send + Sync {
    fn wide(self) -> f32;
    fn nearest(x: f32) -> Self;
    fn bits(self) -> u16;
    fn of_bits(bits: u16) -> Self;
    /// Each number as one of the two that it lies between, by chance.
    fn by_chance(narrow: &mut [Self], numbers: &[f32], dice: Dice, place: usize);
}

impl Narrow for bf16 {
    #[inline(always)]
    fn wide(self) -> f32 {
        widened(self.to_bits())
    }
    #[inline(always)]
    fn nearest(x: f32) -> Self {
        Self::from_bits(nearest(x))
    }
    #[inline(always)]
    fn bits(self) -> u16 {
        self.to_bits()
    }
    #[inline(always)]
    fn of_bits(bits: u16) -> Self {
        Self::from_bits(bits)
    }
    #[inline(always)]
    fn by_chance(narrow: &mut [Self], numbers: &[f32], dice: Dice, place: usize) {
        let mut codes = [0; 64];
        for (at, (narrow, numbers)) in narrow.chunks_mut(64).zip(numbers.chunks(64)).enumerate() {
            narrow_by_chance(&mut codes[..numbers.len()], numbers, dice, place + 64 * at);
            narrow.iter_mut().zip(codes).for_each(|(narrow, bits)| *narrow = Self::from_bits(bits));
        }
    }
}

impl Narrow for f16 {
    #[inline(always)]
    fn wide(self) -> f32 {
        self.to_f32()
    }
    #[inline(always)]
    fn nearest(x: f32) -> Self {
        Self::from_f32(x)
    }
    #[inline(always)]
    fn bits(self) -> u16 {
        self.to_bits()
    }
    #[inline(always)]
    fn of_bits(bits: u16) -> Self {
        Self::from_bits(bits)
    }
    fn by_chance(narrow: &mut [Self], numbers: &[f32], dice: Dice, place: usize) {
        for (i, (narrow, x)) in narrow.iter_mut().zip(numbers).enumerate() {
            let bits = burn_descent_rules::noise::sixteen_bits((place + i) as u32, dice);
            let near = Self::from_f32(*x);
            // The other one of the two that the number lies between.
            let towards = |up: bool| {
                let away = up == (near.to_f32() >= 0.0 && !near.is_sign_negative());
                let step = if away { 1 } else { -1 };
                Self::from_bits(near.to_bits().wrapping_add_signed(step))
            };
            let other = match x.partial_cmp(&near.to_f32()) {
                Some(core::cmp::Ordering::Greater) => towards(true),
                Some(core::cmp::Ordering::Less) => towards(false),
                _ => near,
            };
            let share = (x - near.to_f32()) / (other.to_f32() - near.to_f32());
            *narrow = if (bits as f32) < share * 65536.0 { other } else { near };
        }
    }
}

/// How weights of two bytes, and what is kept beside them, come from what is computed, and back.
pub(crate) struct WeightCoding<'a> {
    pub(crate) weights: Weights,
    pub(crate) dice: Dice,
    /// What rounding has lost of each weight; empty where that is not kept.
    pub(crate) lost: &'a mut [u16],
}

impl WeightCoding<'_> {
    /// The numbers that are computed with.
    #[inline(always)]
    pub(crate) fn read<T: Narrow>(&self, at: usize, narrow: &[T], numbers: &mut [f32]) {
        let pairs = numbers.iter_mut().zip(narrow);
        match self.weights {
            Weights::AsTheyAre | Weights::Stochastic => pairs.for_each(|(x, w)| *x = w.wide()),
            Weights::Kahan => pairs.zip(&self.lost[at..]).for_each(|((x, w), lost)| {
                *x = w.wide() + T::of_bits(*lost).wide();
            }),
            Weights::Split => pairs.zip(&self.lost[at..]).for_each(|((x, w), lost)| {
                let lost = i32::from(lost.cast_signed()).cast_unsigned();
                *x = f32::from_bits((u32::from(w.bits()) << 16).wrapping_add(lost));
            }),
        }
    }

    /// The weights of these numbers, whose first has this place in its tensor: a multiple of 64.
    #[inline(always)]
    pub(crate) fn write<T: Narrow>(
        &mut self,
        at: usize,
        numbers: &[f32],
        place: usize,
        narrow: &mut [T],
    ) {
        match self.weights {
            Weights::AsTheyAre => {
                narrow.iter_mut().zip(numbers).for_each(|(w, x)| *w = T::nearest(*x));
            }
            Weights::Stochastic => T::by_chance(narrow, numbers, self.dice, place),
            Weights::Kahan => {
                let all = narrow.iter_mut().zip(numbers).zip(&mut self.lost[at..]);
                all.for_each(|((w, x), lost)| {
                    *w = T::nearest(*x);
                    *lost = T::nearest(x - w.wide()).bits();
                });
            }
            Weights::Split => {
                let all = narrow.iter_mut().zip(numbers).zip(&mut self.lost[at..]);
                all.for_each(|((w, x), lost)| {
                    let bits = if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() };
                    *w = T::of_bits((bits.wrapping_add(0x8000) >> 16) as u16);
                    *lost = bits as u16;
                });
            }
        }
    }

    /// Those before a number, and the others.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) fn split_at(self, middle: usize) -> (Self, Self) {
        let Self { weights, dice, lost } = self;
        let (left, right) = lost.split_at_mut(middle.min(lost.len()));
        (Self { weights, dice, lost: left }, Self { weights, dice, lost: right })
    }
}

impl Default for WeightCoding<'_> {
    fn default() -> Self {
        Self { weights: Weights::AsTheyAre, dice: [0; 3], lost: &mut [] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The weight after so many steps, and what is beside it.
    fn walked<T: Narrow>(weights: Weights, steps: usize, step: f32, stream: u32) -> f32 {
        let (mut narrow, mut lost) = ([T::nearest(1.0)], [0_u16]);
        let mut x = [0.0];
        for t in 0..steps {
            let dice = [stream, t as u32, 7];
            let mut coding = WeightCoding { weights, dice, lost: &mut lost };
            coding.read(0, &narrow, &mut x);
            x[0] += step;
            coding.write(0, &x, 0, &mut narrow);
        }
        let coding = WeightCoding { weights, dice: [0; 3], lost: &mut lost };
        coding.read(0, &narrow, &mut x);
        x[0]
    }

    const STEPS: usize = 10_000;

    #[test]
    fn tiny_steps_are_not_lost() {
        let step = -3e-5;
        let exact = (0..STEPS).fold(1.0_f32, |x, _| x + step);
        assert_eq!(walked::<bf16>(Weights::AsTheyAre, STEPS, step, 0), 1.0);
        assert_eq!(walked::<bf16>(Weights::Split, STEPS, step, 0), exact);
        // Of a way of 0.3.
        let kahan = walked::<bf16>(Weights::Kahan, STEPS, step, 0);
        assert!((kahan - 0.7).abs() < 0.005, "{kahan}");
        let kahan = walked::<f16>(Weights::Kahan, STEPS, step, 0);
        assert!((kahan - 0.7).abs() < 3e-4, "{kahan}");
    }

    #[test]
    fn chance_is_fair() {
        for of in [walked::<bf16>, walked::<f16>] {
            let (seeds, steps, step) = (1000, 100, -3e-5_f32);
            let ends: Vec<f64> = (0..seeds)
                .map(|seed| f64::from(of(Weights::Stochastic, steps, step, seed)))
                .collect();
            let mean = ends.iter().sum::<f64>() / f64::from(seeds);
            let variance = ends.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(seeds);
            let error = (variance / f64::from(seeds)).sqrt();
            let exact = 1.0 + f64::from(step) * steps as f64;
            assert!((mean - exact).abs() < 3.0 * error, "{mean} {exact} {error}");
            assert!(error > 0.0);
        }
    }

    #[test]
    fn a_split_weight_is_an_f32() {
        let odd = [1.0, -0.0, 1e-40, -3.3e38, f32::MAX, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        for x in
            odd.into_iter().chain((0..1000).map(|i| (i as f32).sin() * 1e3_f32.powi(i % 9 - 4)))
        {
            let (mut narrow, mut lost, mut read) = ([bf16::ZERO], [0], [0.0]);
            let mut coding =
                WeightCoding { weights: Weights::Split, dice: [0; 3], lost: &mut lost };
            coding.write(0, &[x], 0, &mut narrow);
            coding.read(0, &narrow, &mut read);
            assert!(read[0].to_bits() == x.to_bits() || x.is_nan() && read[0].is_nan(), "{x}");
            assert!(x.is_nan() || narrow[0] == bf16::from_f32(x) || x.abs() > 3.3e38, "{x}");
        }
    }

    #[test]
    fn a_half_is_one_of_the_two_around() {
        for x in [1.0003_f32, -1.0003, 1e-8, -1e-8, 0.0, 65504.0, 70000.0, -5.96e-8, f32::NAN] {
            for seed in 0..50 {
                let mut narrow = [f16::ZERO];
                f16::by_chance(&mut narrow, &[x], [seed, 1, 2], 0);
                let y = narrow[0].to_f32();
                let near = f16::from_f32(x).to_f32();
                assert!(
                    y.is_nan() == x.is_nan()
                        && (x.is_nan() || x > 65504.0 || (y - x).abs() <= x.abs() / 1024.0 + 6e-8),
                    "{x} {y} {near}"
                );
            }
        }
    }

    #[test]
    fn names_and_numbers_are_read_back() {
        for (name, weights) in Weights::ALL {
            assert_eq!(name.parse(), Ok(weights));
            assert_eq!(weights.to_string(), name);
            assert_eq!(Weights::of_number(weights.number()), Some(weights));
        }
        assert_eq!(Weights::of_number(9), None);
        assert!("exact".parse::<Weights>().unwrap_err().to_string().contains("kahan"));
    }
}
