//! How the numbers of a state are kept: in fewer bytes than they are computed in.
//!
//! A rule never knows. An engine decodes a chunk of numbers, computes, and encodes them. What is kept of a state is
//! one list of words of 32 bits, which every backend has.

mod asked;
mod bytes;
mod halves;
mod kept;
mod tensors;
mod weights;

pub(crate) use kept::{Coding, Keeping, Kept, Stores};
pub(crate) use tensors::{data, decode, encode, moved, on_device, zeros};
pub(crate) use weights::{Narrow, WeightCoding};
pub use weights::{UnknownWeights, Weights};

pub(crate) use bytes::BLOCKS;

use bytes::Bytes;
use core::fmt;
use core::str::FromStr;
use halves::{Half, Halves};

/// How the numbers of a state are kept.
///
/// States of which there is one number for each weight can be kept in fewer bytes than the four that they are computed in;
/// those of rows, columns and what is coarser are few, and the matrices of rules that look at whole ones are kept as they
/// are. So are all states of parameters in f64, and of [small](crate::Fused::keep_small) ones.
///
/// ```
/// # use burn_descent_engine::burn_descent;
/// use burn_descent::{AdamW, Build, Store};
///
/// let adamw = AdamW::new().build()?.keep_all(Store::int8())?;
/// assert_eq!("bf16-stochastic".parse(), Ok(Store::Bf16(burn_descent::Rounding::Stochastic)));
/// # drop(adamw);
/// # Ok::<(), burn_descent::InvalidOption>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Store {
    /// As they are computed: four bytes; eight of parameters in f64.
    #[default]
    F32,
    /// Two bytes, of the range of f32 and three digits.
    Bf16(Rounding),
    /// Two bytes of four digits, between 6e-8 and 65504: a second moment of gradients below 2e-4 is 0 in it.
    F16,
    /// One byte, and four for each block: the largest number of the block, and shares of it that are closest together
    /// near 0 (FlashOptim's maps, <https://arxiv.org/abs/2602.23349>). With `y = q / 127`, a number is
    /// `y / (2 − |y|)` of the largest; a positive one is `(q / 255)²` of it, and 0 only if it was.
    Int8 {
        /// How many numbers share a largest one: a power of two from 32 to 512.
        block: u32,
    },
    /// The same with bitsandbytes' dynamic map (<https://arxiv.org/abs/2110.02861>): shares down to 6e-7 and, of positive
    /// numbers, 3e-7, each decade with half as many values as the one above.
    Dynamic8 {
        /// How many numbers share a largest one: a power of two from 32 to 512.
        block: u32,
    },
}

/// Which of the two numbers that can be kept a number between them becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The nearer one, and the even one of two that are as near.
    #[default]
    Nearest,
    /// Either, by chance, so that the mean is the number. The random numbers follow from step, parameter and place: the
    /// same on every engine, and in a resumed run.
    Stochastic,
}

/// The numbers of a block by default, bitsandbytes'.
const BLOCK: u32 = 256;

impl Store {
    /// [`Int8`](Self::Int8) in blocks of 256.
    pub fn int8() -> Self {
        Self::Int8 { block: BLOCK }
    }

    /// [`Dynamic8`](Self::Dynamic8) in blocks of 256.
    pub fn dynamic8() -> Self {
        Self::Dynamic8 { block: BLOCK }
    }

    /// The size of its blocks, if it has some.
    pub(crate) fn block(self) -> Option<usize> {
        match self {
            Self::Int8 { block } | Self::Dynamic8 { block } => Some(block as usize),
            Self::F32 | Self::Bf16(_) | Self::F16 => None,
        }
    }

    /// Is the size of its blocks allowed?
    pub(crate) fn is_allowed(self) -> bool {
        self.block().is_none_or(|block| BLOCKS.contains(&block) && block.is_power_of_two())
    }

    /// How many words of 32 bits so many numbers take.
    pub(crate) fn words(self, numbers: usize) -> usize {
        match (self, self.block()) {
            (Self::F32, _) => numbers,
            (_, None) => numbers.div_ceil(2),
            (_, Some(block)) => numbers.div_ceil(4) + numbers.div_ceil(block),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::F32 => "f32",
            Self::Bf16(Rounding::Nearest) => "bf16",
            Self::Bf16(Rounding::Stochastic) => "bf16-stochastic",
            Self::F16 => "f16",
            Self::Int8 { .. } => "int8",
            Self::Dynamic8 { .. } => "dynamic8",
        };
        f.write_str(name)?;
        match self.block() {
            Some(block) if block != BLOCK as usize => write!(f, ":{block}"),
            _ => Ok(()),
        }
    }
}

/// Why a text is no [`Store`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a state is kept in f32, bf16, bf16-stochastic, f16, int8 or dynamic8, the last two with a block of a power of two \
     from 32 to 512, as int8:128; not in `{0}`"
)]
pub struct UnknownStore(String);

impl FromStr for Store {
    type Err = UnknownStore;

    fn from_str(text: &str) -> Result<Self, UnknownStore> {
        let unknown = || UnknownStore(text.into());
        let (name, block) = match text.split_once(':') {
            Some((name, block)) => (name, Some(block.parse().map_err(|_| unknown())?)),
            None => (text, None),
        };
        let store = match (name, block) {
            ("f32", None) => Self::F32,
            ("bf16", None) => Self::Bf16(Rounding::Nearest),
            ("bf16-stochastic", None) => Self::Bf16(Rounding::Stochastic),
            ("f16", None) => Self::F16,
            ("int8", block) => Self::Int8 { block: block.unwrap_or(BLOCK) },
            ("dynamic8", block) => Self::Dynamic8 { block: block.unwrap_or(BLOCK) },
            _ => return Err(unknown()),
        };
        if store.is_allowed() { Ok(store) } else { Err(unknown()) }
    }
}

/// Codes of numbers that lie one after another.
#[derive(Debug)]
pub(crate) enum Codes<'a> {
    Halves(Halves<'a>),
    Bytes(Bytes<'a>),
}

/// Random bits for a list of numbers.
pub(crate) type Dice = [u32; 3];

impl<'a> Codes<'a> {
    /// Those of `count` numbers in their [words](Store::words); `None` where they are kept as they are.
    pub(crate) fn of(
        Coding { store, is_positive }: Coding,
        count: usize,
        words: &'a mut [u32],
    ) -> Option<Self> {
        let halves = |half, words| Self::Halves(Halves::new(half, words, count));
        let bytes = |words, book, block| Self::Bytes(Bytes::new(words, count, book, block));
        Some(match store {
            Store::F32 => return None,
            Store::Bf16(rounding) => halves(Half::Bf16(rounding), words),
            Store::F16 => halves(Half::F16, words),
            Store::Int8 { block } => bytes(words, bytes::Book::soft(is_positive), block as usize),
            Store::Dynamic8 { block } => {
                bytes(words, bytes::Book::dynamic(is_positive), block as usize)
            }
        })
    }

    /// Those before a number, and the others. It is the first of a block.
    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(crate) fn split_at(self, middle: usize) -> (Self, Self) {
        match self {
            Self::Halves(halves) => {
                let (left, right) = halves.split_at(middle);
                (Self::Halves(left), Self::Halves(right))
            }
            Self::Bytes(bytes) => {
                let (left, right) = bytes.split_at(middle);
                (Self::Bytes(left), Self::Bytes(right))
            }
        }
    }

    /// The numbers from this one on.
    #[inline(always)]
    pub(crate) fn read(&self, at: usize, numbers: &mut [f32]) {
        match self {
            Self::Halves(halves) => halves.read(at, numbers),
            Self::Bytes(bytes) => bytes.read(at, numbers),
        }
    }

    /// Keeps the numbers from this one on, which is the first of a block; where they end, a block ends, or all. `place` is
    /// that of the first in its tensor, a multiple of 64.
    #[inline(always)]
    pub(crate) fn write(&mut self, at: usize, numbers: &[f32], dice: Dice, place: usize) {
        match self {
            Self::Halves(halves) => halves.write(at, numbers, dice, place),
            Self::Bytes(bytes) => bytes.write(at, numbers),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORES: [Store; 7] = [
        Store::F32,
        Store::Bf16(Rounding::Nearest),
        Store::Bf16(Rounding::Stochastic),
        Store::F16,
        Store::Int8 { block: 256 },
        Store::Int8 { block: 32 },
        Store::Dynamic8 { block: 64 },
    ];

    /// What is left of numbers that have been kept, in parts of 192.
    fn kept(store: Store, is_positive: bool, numbers: &[f32], dice: Dice) -> Vec<f32> {
        let coding = Coding { store, is_positive };
        let mut words = vec![0; store.words(numbers.len())];
        let mut read = numbers.to_vec();
        let Some(mut codes) = Codes::of(coding, numbers.len(), &mut words) else { return read };
        for (number, part) in numbers.chunks(512).enumerate() {
            codes.write(512 * number, part, dice, 512 * number);
        }
        // Not as it was written.
        for (number, part) in read.chunks_mut(100).enumerate() {
            codes.read(100 * number, part);
        }
        read
    }

    fn numbers(count: usize) -> Vec<f32> {
        let draw = burn_descent_rules::noise::Draw::new(3, 1, 0);
        (0..count).map(|place| draw.normal::<f32>(place)).collect()
    }

    #[test]
    fn a_number_is_kept_as_well_as_its_bytes_allow() {
        for count in [1, 31, 512, 1000, 1537] {
            for is_positive in [false, true] {
                let numbers = numbers(count);
                let numbers: Vec<f32> = match is_positive {
                    true => numbers.into_iter().map(|x| x * x).collect(),
                    false => numbers,
                };
                for store in STORES {
                    let read = kept(store, is_positive, &numbers, [1, 2, 3]);
                    let block = store.block().unwrap_or(count);
                    let largest = |at: usize| {
                        let from = at / block * block;
                        let block = &numbers[from..count.min(from + block)];
                        block.iter().fold(0.0_f32, |most, x| most.max(x.abs()))
                    };
                    for (at, (x, read)) in numbers.iter().zip(read).enumerate() {
                        let bound = match store {
                            Store::F32 => 0.0,
                            Store::Bf16(Rounding::Nearest) => x.abs() / 256.0,
                            Store::Bf16(Rounding::Stochastic) => x.abs() / 128.0,
                            Store::F16 => x.abs() / 2048.0 + 6e-8,
                            Store::Int8 { .. } => largest(at) / 126.0,
                            Store::Dynamic8 { .. } => largest(at) / 60.0,
                        };
                        assert!((x - read).abs() <= bound, "{store} {count} {at}: {x} {read}");
                    }
                }
            }
        }
    }

    #[test]
    fn small_numbers_of_a_block_are_told_from_zero() {
        // WeightCoding a number of 1: an eight-bit share without a map would be 0 below 1 / 510.
        let positive = |x: f32| {
            let read = kept(Store::int8(), true, &[1.0, x, 0.0], [0; 3]);
            assert_eq!((read[0], read[2]), (1.0, 0.0));
            read[1]
        };
        for x in [1e-3, 1e-6, 1e-30] {
            assert!(positive(x) > 0.0, "{x}");
        }
        assert!((positive(1e-3) / 1e-3 - 1.0).abs() < 0.12);
        assert!(kept(Store::dynamic8(), true, &[1.0, 1e-6], [0; 3])[1] > 0.0);
        let signed = kept(Store::int8(), false, &[1.0, -3e-3, 1e-5], [0; 3]);
        assert!(signed[1] < 0.0 && (signed[1] / -3e-3 - 1.0).abs() < 0.4, "{signed:?}");
        // A block of zeros, and one too small to be divided by.
        for store in STORES {
            assert_eq!(kept(store, true, &[0.0; 40], [0; 3]), [0.0; 40]);
            assert!(kept(store, false, &[1e-42; 40], [0; 3]).iter().all(|x| x.abs() <= 2e-42));
        }
    }

    #[test]
    fn a_nan_is_not_hidden() {
        for store in STORES {
            for is_positive in [false, true] {
                let mut numbers = vec![1.0; 600];
                numbers[300] = f32::NAN;
                let read = kept(store, is_positive, &numbers, [0; 3]);
                assert!(read[300].is_nan(), "{store}");
                assert_eq!(read[0], 1.0, "{store}: another block");
            }
        }
    }

    #[test]
    fn chance_is_fair_and_the_same_each_time() {
        let numbers = vec![1.001_f32; 1 << 16];
        let store = Store::Bf16(Rounding::Stochastic);
        let read = kept(store, false, &numbers, [1, 2, 3]);
        assert_eq!(read, kept(store, false, &numbers, [1, 2, 3]));
        assert_ne!(read, kept(store, false, &numbers, [2, 2, 3]));
        assert!(read.iter().all(|x| *x == 1.0 || *x == 1.0078125));
        let mean = read.iter().map(|x| f64::from(*x)).sum::<f64>() / numbers.len() as f64;
        // Four standard errors.
        assert!((mean - 1.001).abs() < 4.0 * 0.0027 / 256.0, "{mean}");
    }

    #[test]
    fn a_store_is_read_as_it_is_written() {
        for store in STORES {
            assert_eq!(store.to_string().parse(), Ok(store));
            let coding = Coding { store, is_positive: true };
            assert_eq!(Coding::of_number(coding.number()), Some(coding));
        }
        for text in ["int4", "int8:0", "int8:48", "int8:1024", "int8:x", "bf16:64", ""] {
            assert!(text.parse::<Store>().unwrap_err().to_string().contains("int8:128"), "{text}");
        }
        assert_eq!(Coding::of_number(77), None);
        assert_eq!(Coding::of_number(4 | 33 << 16), None);
    }
}
