//! One byte for a number: a share of the largest of its block.

use core::ops::RangeInclusive;
use std::sync::LazyLock;

/// The sizes that blocks may have.
pub(crate) const BLOCKS: RangeInclusive<usize> = 32..=512;

/// Which share of the largest number of its block a byte stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Book {
    /// FlashOptim's for numbers of both signs: `y / (2 − |y|)`, where the byte is `127 y`.
    Softsign,
    /// Its map for positive numbers: `y²`, where the byte is `255 y`.
    Square,
    /// bitsandbytes' map.
    Dynamic(&'static Map),
}

/// The values of a map, ascending, and the middles between them.
#[derive(Debug)]
pub(super) struct Map {
    values: [f32; 256],
    /// Above the last value there is no end.
    middles: [f32; 256],
    /// The byte of the nearest value of the least share of each [slot](slot), of either sign.
    first: [[u8; SLOTS]; 2],
}

/// Shares of 2⁻²² and more are told apart by their exponent and six bits.
const SLOTS: usize = 22 * 64 + 2;

/// The slot of a share without its sign: 0 of what is less than 2⁻²².
fn slot(share: f32) -> usize {
    let from = (1.0_f32 / 4_194_304.0).to_bits() >> 17;
    let above = (share.to_bits() >> 17).saturating_sub(from - 1);
    (above as usize).min(SLOTS - 1)
}

/// The least share of a slot.
fn least(slot: usize) -> f32 {
    let from = (1.0_f32 / 4_194_304.0).to_bits() >> 17;
    if slot == 0 { 0.0 } else { f32::from_bits((from - 1 + slot as u32) << 17) }
}

impl Book {
    pub(super) fn soft(is_positive: bool) -> Self {
        if is_positive { Self::Square } else { Self::Softsign }
    }

    pub(super) fn dynamic(is_positive: bool) -> Self {
        static SIGNED: LazyLock<Map> = LazyLock::new(|| Map::dynamic(false));
        static POSITIVE: LazyLock<Map> = LazyLock::new(|| Map::dynamic(true));
        Self::Dynamic(if is_positive { &POSITIVE } else { &SIGNED })
    }
}

impl Map {
    /// Between powers of ten, the middles of as many equal cells as the bits that are left after the power can tell apart;
    /// 0 and 1.
    fn dynamic(is_positive: bool) -> Self {
        const DECADES: u32 = 7;
        let mut values = vec![0.0, 1.0];
        for decade in 0..DECADES {
            let cells = 1_u32 << (decade + u32::from(is_positive));
            let power = 10_f64.powi(decade as i32 + 1 - DECADES as i32);
            for cell in 0..cells {
                let middle = 0.1 + 0.9 * (f64::from(cell) + 0.5) / f64::from(cells);
                let value = (power * middle) as f32;
                values.push(value);
                if !is_positive {
                    values.push(-value);
                }
            }
        }
        values.sort_unstable_by(f32::total_cmp);
        let values: [f32; 256] = values.try_into().expect("as many as a byte has");
        let middle = |i: usize| values.get(i + 1).map_or(f32::INFINITY, |x| (values[i] + x) / 2.0);
        let middles: [f32; 256] = core::array::from_fn(middle);
        let nearest = |share: f32| middles.partition_point(|middle| *middle < share) as u8;
        // Of negative shares the greatest of a slot is the least without its sign, so the byte is an upper bound.
        let first = [1.0, -1.0].map(|sign| {
            core::array::from_fn(|slot| match sign < 0.0 && slot + 1 < SLOTS {
                true => nearest(sign * least(slot + 1)),
                false if sign < 0.0 => 0,
                false => nearest(least(slot)),
            })
        });
        Self { values, middles, first }
    }

    /// The byte of the nearest value of a share between -1 and 1.
    fn nearest(&self, share: f32) -> u8 {
        let mut byte = self.first[usize::from(share < 0.0)][slot(share.abs())];
        // A slot has few values.
        while self.middles[usize::from(byte)] < share {
            byte += 1;
        }
        byte
    }
}

/// Numbers of one byte, in blocks.
#[derive(Debug)]
pub(crate) struct Bytes<'a> {
    book: Book,
    block: usize,
    codes: &'a mut [u8],
    /// The bits of the largest number of each block, without its sign.
    largest: &'a mut [u32],
}

impl<'a> Bytes<'a> {
    pub(super) fn new(words: &'a mut [u32], count: usize, book: Book, block: usize) -> Self {
        let (codes, largest) = words.split_at_mut(count.div_ceil(4));
        Self { book, block, codes: &mut bytemuck::cast_slice_mut(codes)[..count], largest }
    }

    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        let Self { book, block, codes, largest } = self;
        let (codes_left, codes_right) = codes.split_at_mut(middle);
        let (left, right) = largest.split_at_mut(middle.div_ceil(block));
        (
            Self { book, block, codes: codes_left, largest: left },
            Self { book, block, codes: codes_right, largest: right },
        )
    }

    /// Each run of numbers that is in one block, with the largest of it.
    #[inline(always)]
    pub(super) fn read(&self, mut at: usize, mut numbers: &mut [f32]) {
        while !numbers.is_empty() {
            let count = numbers.len().min(self.block - at % self.block);
            let (here, rest) = numbers.split_at_mut(count);
            let largest = f32::from_bits(self.largest[at / self.block]);
            read_block(self.book, &self.codes[at..at + count], largest, here);
            (at, numbers) = (at + count, rest);
        }
    }

    #[inline(always)]
    pub(super) fn write(&mut self, at: usize, numbers: &[f32]) {
        let codes = self.codes[at..at + numbers.len()].chunks_mut(self.block);
        let blocks = numbers.chunks(self.block).zip(codes);
        for ((numbers, codes), largest) in blocks.zip(&mut self.largest[at / self.block..]) {
            // Of numbers without a sign the order is that of their bits, and a NaN is above all.
            *largest = numbers.iter().fold(0, |most, x| most.max(x.to_bits() & 0x7fff_ffff));
            write_block(self.book, numbers, f32::from_bits(*largest), codes);
        }
    }
}

#[inline(always)]
fn read_block(book: Book, codes: &[u8], largest: f32, numbers: &mut [f32]) {
    let both = numbers.iter_mut().zip(codes);
    match book {
        Book::Softsign => both.for_each(|(x, code)| {
            let y = f32::from(*code as i8) * (1.0 / 127.0);
            *x = y / (2.0 - y.abs()) * largest;
        }),
        Book::Square => both.for_each(|(x, code)| {
            let y = f32::from(*code) * (1.0 / 255.0);
            *x = y * y * largest;
        }),
        Book::Dynamic(map) => {
            both.for_each(|(x, code)| *x = map.values[usize::from(*code)] * largest);
        }
    }
}

#[inline(always)]
fn write_block(book: Book, numbers: &[f32], largest: f32, codes: &mut [u8]) {
    // Of a largest number that is 0, or has no reciprocal, the shares are 0.
    let reciprocal = if largest >= f32::MIN_POSITIVE { 1.0 / largest } else { 0.0 };
    let both = codes.iter_mut().zip(numbers);
    match book {
        Book::Softsign => both.for_each(|(code, x)| {
            let share = x * reciprocal;
            let y = 2.0 * share / (1.0 + share.abs());
            *code = rounded(127.0 * y) as i8 as u8;
        }),
        Book::Square => both.for_each(|(code, x)| {
            let y = rounded(255.0 * (x * reciprocal).sqrt());
            // What is not 0 is not kept as 0: it may be under a fraction.
            *code = y.max(i32::from(*x > 0.0 && reciprocal > 0.0)) as u8;
        }),
        Book::Dynamic(map) => both.for_each(|(code, x)| *code = map.nearest(x * reciprocal)),
    }
}

/// The nearest whole number of one between -2²² and 2²², by the bits that are left of a sum.
#[inline(always)]
fn rounded(x: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0;
    (x + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dynamic_map_has_the_values_of_bitsandbytes() {
        let positive = Map::dynamic(true);
        for (byte, value) in [
            (0, 0.0),
            (1, 3.25e-7),
            (2, 7.75e-7),
            (15, 1.281_25e-4),
            (100, 0.062_734_38),
            (128, 0.110_546_87),
            (255, 1.0),
        ] {
            let found = positive.values[byte];
            assert!((found - value).abs() <= 2e-7 * value, "{byte}: {found} {value}");
        }
    }

    #[test]
    fn the_nearest_value_is_found() {
        for map in [Map::dynamic(true), Map::dynamic(false)] {
            let shares = (0..200_000).map(|i| {
                let size = 10_f32.powf(-8.0 * (i / 2) as f32 / 100_000.0);
                if i % 2 == 0 { size } else { -size }
            });
            let odd = [0.0, -0.0, 1.0, -1.0, 1e-30, f32::MIN_POSITIVE];
            for share in shares.chain(odd).chain(map.middles[..255].iter().copied()) {
                let expected = map.middles.partition_point(|middle| *middle < share);
                assert_eq!(usize::from(map.nearest(share)), expected, "{share}");
            }
        }
    }
}
