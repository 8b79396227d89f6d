//! Normal numbers for noise in gradients: each follows from where and when it is needed.

use crate::{Real, Rule};

/// Noise that is added to a gradient at one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// The standard deviation, >= 0 and finite.
    pub deviation: f64,
    /// Another seed, other numbers.
    pub seed: u64,
}

impl Noise {
    /// Noise that dies away: of variance `eta / t^gamma` at step `t`, counted from 1 (Neelakantan et al.
    /// 2015, <https://arxiv.org/abs/1511.06807>). `eta` and `gamma` are >= 0.
    pub fn fading(eta: f64, gamma: f64, seed: u64, t: u64) -> Self {
        Self { deviation: (eta / (t as f64).powf(gamma)).sqrt(), seed }
    }

    /// The scalars of a tensor's noise at step `t`: what the numbers that are [`drawn`] are
    /// multiplied with, and three words that their sequence follows from, in which `stream` tells
    /// tensors apart.
    pub fn scalars(self, t: u64, stream: u32) -> [f64; Self::LANES] {
        let words = |number: u64| [number as u32, (number >> 32) as u32];
        let ([s0, s1], [t0, t1]) = (words(self.seed), words(t));
        let [a, b, c, _] = mix([s0, s1 ^ t1.rotate_left(16), t0, stream]).map(f64::from);
        [self.deviation / VARIANCE.sqrt(), a, b, c]
    }

    /// How many [`scalars`](Self::scalars) there are.
    pub const LANES: usize = 4;
}

/// How many scalars the noise of a rule takes: none where it has none.
pub const fn lanes<U: Rule>() -> usize {
    if U::NOISE.is_some() { Noise::LANES } else { 0 }
}

/// The noise of a tensor in the precision it is computed in.
#[derive(Clone, Copy, Debug)]
pub struct Draw<R> {
    deviation: R,
    key: [u32; 3],
}

impl<R: Real> Draw<R> {
    /// From [`Noise::scalars`].
    #[inline(always)]
    pub fn read([deviation, key @ ..]: [f64; Noise::LANES]) -> Self {
        Self { deviation: R::lit(deviation), key: key.map(|word| word as u32) }
    }

    /// The noise of a rule, where it has some, with these [scalars](Noise::scalars) in front of
    /// what comes behind them.
    #[inline(always)]
    pub fn of<U: Rule>(scalars: &[f64]) -> Option<Self> {
        U::NOISE.map(|_| Self::read(core::array::from_fn(|lane| scalars[lane])))
    }

    /// The noise of the element at this place in its tensor.
    #[inline(always)]
    pub fn at(&self, index: usize) -> R {
        let sum = drawn(index as u32, self.key);
        self.deviation * (R::lit(sum.into()) - R::lit(MEAN))
    }
}

/// The word of 32 bits, wrapping, that random numbers are made of: `u32`, or one of a kernel.
pub trait Word: Copy {
    /// A constant where this word is.
    fn constant(self, value: u32) -> Self;
    /// Sum.
    fn plus(self, other: Self) -> Self;
    /// Product.
    fn times(self, other: Self) -> Self;
    /// The bits that are in one of the two.
    fn xor(self, other: Self) -> Self;
    /// The bits that are in both.
    fn and(self, other: Self) -> Self;
    /// The bits moved down.
    fn down(self, bits: u32) -> Self;
}

impl Word for u32 {
    #[inline(always)]
    fn constant(self, value: u32) -> Self {
        value
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn down(self, bits: u32) -> Self {
        self >> bits
    }
}

/// The mean of what is [`drawn`].
pub const MEAN: f64 = 12.0 * 1023.0 / 2.0;

/// Its variance: twelve times that of a number of ten bits.
const VARIANCE: f64 = 1024.0 * 1024.0 - 1.0;

/// The sum of twelve random numbers of ten bits, at this place of the sequence that belongs to a
/// key: normal but for its tails, which end at six deviations, and a grid of a thousandth of one.
///
/// Whole numbers only, and small ones: every engine computes the same bits, in f32 too.
#[inline(always)]
pub fn drawn<W: Word>(index: W, [a, b, c]: [W; 3]) -> W {
    let ten = |word: W, bits: u32| word.down(bits).and(word.constant(1023));
    let three = |word: W| word.down(22).plus(ten(word, 12)).plus(ten(word, 2));
    let [x, y, z, w] = mix([index, a, b, c]);
    three(x).plus(three(y)).plus(three(z).plus(three(w)))
}

/// Jarzynski & Olano's `pcg4d`: four words of which each bit depends on all bits of the given
/// four. <https://jcgt.org/published/0009/03/02>
#[inline(always)]
fn mix<W: Word>(words: [W; 4]) -> [W; 4] {
    let across = |[x, y, z, w]: [W; 4]| {
        let x = x.plus(y.times(w));
        let y = y.plus(z.times(x));
        let z = z.plus(x.times(y));
        let w = w.plus(y.times(z));
        [x, y, z, w]
    };
    let step = |v: W| v.times(v.constant(1_664_525)).plus(v.constant(1_013_904_223));
    across(across(words.map(step)).map(|v| v.xor(v.down(16))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` numbers of deviation 1.
    fn numbers(noise: Noise, t: u64, stream: u32, count: usize) -> Vec<f64> {
        let draw = Draw::<f64>::read(noise.scalars(t, stream));
        (0..count).map(|index| draw.at(index)).collect()
    }

    const COUNT: usize = 1 << 20;
    const UNIT: Noise = Noise { deviation: 1.0, seed: 7 };

    fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
        numbers.sum::<f64>() / COUNT as f64
    }

    #[test]
    fn the_moments_are_those_of_a_normal_number() {
        let x = numbers(UNIT, 1, 0, COUNT);
        // Five deviations of the mean of 2^20 numbers are 0.005.
        assert!(mean(x.iter().copied()).abs() < 0.005);
        assert!((mean(x.iter().map(|x| x * x)) - 1.0).abs() < 0.007);
        assert!(mean(x.iter().map(|x| x.powi(3))).abs() < 0.02);
        // The sum of twelve has 2.9.
        assert!((mean(x.iter().map(|x| x.powi(4))) - 2.9).abs() < 0.05);
        // A normal number is outside with 0.3173, 0.0455 and 0.0027: Edgeworth's term for 2.9.
        for (bound, expected) in [(1.0, 0.3213), (2.0, 0.0446), (3.0, 0.0020)] {
            let outside = mean(x.iter().map(|x| f64::from(x.abs() > bound)));
            assert!((outside - expected).abs() < 0.002, "{bound}: {outside}");
        }
    }

    #[test]
    fn neighbours_of_every_kind_have_nothing_to_do_with_each_other() {
        let x = numbers(UNIT, 1, 0, COUNT);
        let others = [
            ("the next element", [&x[1..], &x[..1]].concat()),
            ("64 further", [&x[64..], &x[..64]].concat()),
            ("4096 further", [&x[4096..], &x[..4096]].concat()),
            ("the next step", numbers(UNIT, 2, 0, COUNT)),
            ("a step far away", numbers(UNIT, 1 << 32, 0, COUNT)),
            ("the next tensor", numbers(UNIT, 1, 1, COUNT)),
            ("the next seed", numbers(Noise { seed: 8, ..UNIT }, 1, 0, COUNT)),
            ("a seed far away", numbers(Noise { seed: 7 + (1 << 32), ..UNIT }, 1, 0, COUNT)),
        ];
        for (what, y) in others {
            let correlation = mean(x.iter().zip(&y).map(|(x, y)| x * y));
            let of_squares = mean(x.iter().zip(&y).map(|(x, y)| (x * x - 1.0) * (y * y - 1.0)));
            assert!(correlation.abs() < 0.005, "{what}: {correlation}");
            assert!(of_squares.abs() < 0.01, "{what}: {of_squares} of the squares");
        }
    }

    #[test]
    fn the_numbers_are_exact_in_f32() {
        let scalars = UNIT.scalars(1, 0);
        let (wide, narrow) = (Draw::<f64>::read(scalars), Draw::<f32>::read(scalars));
        for index in 0..1000 {
            let whole = wide.at(index) / wide.deviation;
            assert_eq!(narrow.at(index), narrow.deviation * whole.round() as f32);
        }
    }

    #[test]
    fn the_sequence_stays_what_it_was() {
        let mixed = mix([0_u32, 1, 2, 3]);
        assert_eq!(mixed, [933_639_991, 2_252_496_459, 1_324_331_964, 1_990_701_187]);
        assert_eq!([0_u32, 1, 2].map(|index| drawn(index, [4, 5, 6])), [5561, 7348, 4338]);
    }
}
