//! Normal numbers by a counter: each follows from where and when it is needed.

use crate::Real;

/// The deviation of noise that dies away: of variance `eta / t^gamma` at step `t`, counted from 1
/// (Neelakantan et al. 2015, <https://arxiv.org/abs/1511.06807>). `eta` and `gamma` are >= 0.
pub fn fading(eta: f64, gamma: f64, t: u64) -> f64 {
    (eta / (t as f64).powf(gamma)).sqrt()
}

/// The random numbers of one tensor at one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The words that their sequence follows from.
    pub key: [u32; 3],
}

impl Draw {
    /// Those of step `t`, from 1. Another seed, other numbers; `stream` tells tensors apart.
    pub fn new(seed: u64, t: u64, stream: u32) -> Self {
        let words = |number: u64| [number as u32, (number >> 32) as u32];
        let ([s0, s1], [t0, t1]) = (words(seed), words(t));
        let [a, b, c, _] = mix([s0, s1 ^ t1.rotate_left(16), t0, stream]);
        Self { key: [a, b, c] }
    }

    /// The normal number, of deviation 1, of the element at this place in its tensor.
    #[inline(always)]
    pub fn normal<R: Real>(self, place: usize) -> R {
        let sum = drawn(place as u32, self.key);
        (R::lit(sum.into()) - R::lit(MEAN)) * R::lit(UNIT)
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

/// What is [`drawn`], less its mean, has this deviation times it: one over the root of its variance, twelve
/// times that of a number of ten bits, `1024² − 1`.
pub const UNIT: f64 = 9.765_629_656_616_204e-4;

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

/// The sixteen random bits that belong to a place of the sequence of a key. Sixty-four places have eight words of it, so
/// that what is computed for eight of them at a time is computed once.
#[inline(always)]
pub fn sixteen_bits(place: u32, key: [u32; 3]) -> u32 {
    let words = words_of_eight(place, key);
    (words[place as usize % 64 / 16] >> (place / 8 % 2 * 16)) & 0xffff
}

/// The four words in which the [`sixteen_bits`] of a place are, with those of each eighth place around it: of sixteen
/// places one after another each word has two, the first eight in its lower halves.
#[inline(always)]
pub fn words_of_eight<W: Word>(place: W, [a, b, c]: [W; 3]) -> [W; 4] {
    let run = place.down(6).times(place.constant(8));
    mix([run.plus(place.and(place.constant(7))), a, b, c])
}

/// [`sixteen_bits`] of sixty-four places from this one on, which is a multiple of so many.
#[inline(always)]
pub fn sixteen_bits_of_64(place: u32, key: [u32; 3]) -> [u32; 64] {
    let mut bits = [0; 64];
    for lane in 0..8 {
        let words = words_of_eight(place + lane as u32, key);
        for (pair, word) in words.into_iter().enumerate() {
            bits[16 * pair + lane] = word & 0xffff;
            bits[16 * pair + 8 + lane] = word >> 16;
        }
    }
    bits
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

    const COUNT: usize = 1 << 20;

    fn numbers(seed: u64, t: u64, stream: u32) -> Vec<f64> {
        let draw = Draw::new(seed, t, stream);
        (0..COUNT).map(|place| draw.normal(place)).collect()
    }

    fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
        numbers.sum::<f64>() / COUNT as f64
    }

    #[test]
    fn the_moments_are_those_of_a_normal_number() {
        let x = numbers(7, 1, 0);
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
        let x = numbers(7, 1, 0);
        let others = [
            ("the next element", [&x[1..], &x[..1]].concat()),
            ("64 further", [&x[64..], &x[..64]].concat()),
            ("4096 further", [&x[4096..], &x[..4096]].concat()),
            ("the next step", numbers(7, 2, 0)),
            ("a step far away", numbers(7, 1 << 32, 0)),
            ("the next tensor", numbers(7, 1, 1)),
            ("the next seed", numbers(8, 1, 0)),
            ("a seed far away", numbers(7 + (1 << 32), 1, 0)),
        ];
        for (what, y) in others {
            let correlation = mean(x.iter().zip(&y).map(|(x, y)| x * y));
            let of_squares = mean(x.iter().zip(&y).map(|(x, y)| (x * x - 1.0) * (y * y - 1.0)));
            assert!(correlation.abs() < 0.005, "{what}: {correlation}");
            assert!(of_squares.abs() < 0.01, "{what}: {of_squares} of the squares");
        }
    }

    #[test]
    fn sixteen_bits_are_even_and_have_nothing_to_do_with_their_neighbours() {
        let key = Draw::new(7, 1, 0).key;
        let x: Vec<f64> =
            (0..COUNT as u32).map(|place| f64::from(sixteen_bits(place, key))).collect();
        let x: Vec<f64> = x.into_iter().map(|x| (x + 0.5) / 32768.0 - 1.0).collect();
        assert!(mean(x.iter().copied()).abs() < 0.003);
        assert!((mean(x.iter().map(|x| x * x)) - 1.0 / 3.0).abs() < 0.002);
        for further in [1, 8, 16, 64, 4096] {
            let product = mean(x.iter().zip(&x[further..]).map(|(x, y)| x * y));
            assert!(product.abs() < 0.002, "{further}: {product}");
        }
    }

    #[test]
    fn the_deviation_is_one() {
        assert!((UNIT * UNIT * (1024.0 * 1024.0 - 1.0) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn the_sequence_stays_what_it_was() {
        let mixed = mix([0_u32, 1, 2, 3]);
        assert_eq!(mixed, [933_639_991, 2_252_496_459, 1_324_331_964, 1_990_701_187]);
        let bits = |place| sixteen_bits(place, [4, 5, 6]);
        assert_eq!([0, 8, 63, 64].map(bits), [55970, 45774, 52219, 8868]);
        assert_eq!(
            sixteen_bits_of_64(128, [4, 5, 6]),
            core::array::from_fn(|i| bits(128 + i as u32))
        );
        assert_eq!([0_u32, 1, 2].map(|index| drawn(index, [4, 5, 6])), [5561, 7348, 4338]);
    }
}
