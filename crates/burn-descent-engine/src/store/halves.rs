//! Two bytes for a number.

use super::{Dice, Rounding};
use burn::tensor::f16;
use burn_descent_rules::noise::sixteen_bits_of_64;
use half::slice::{HalfBitsSliceExt, HalfFloatSliceExt};

/// What two bytes stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    Bf16(Rounding),
    F16,
}

/// Numbers of two bytes.
#[derive(Debug)]
pub(crate) struct Halves<'a> {
    half: Half,
    codes: &'a mut [u16],
}

impl<'a> Halves<'a> {
    pub(super) fn new(half: Half, words: &'a mut [u32], count: usize) -> Self {
        Self { half, codes: &mut bytemuck::cast_slice_mut(words)[..count] }
    }

    #[cfg(any(feature = "flex", feature = "ndarray"))]
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        let (left, right) = self.codes.split_at_mut(middle);
        (Self { codes: left, ..self }, Self { half: self.half, codes: right })
    }

    #[inline(always)]
    pub(super) fn read(&self, at: usize, numbers: &mut [f32]) {
        match self.half {
            Half::Bf16(_) => {
                let both = numbers.iter_mut().zip(&self.codes[at..]);
                both.for_each(|(x, code)| *x = widened(*code));
            }
            Half::F16 => {
                let codes: &[f16] = self.codes[at..at + numbers.len()].reinterpret_cast();
                codes.convert_to_f32_slice(numbers);
            }
        }
    }

    #[inline(always)]
    pub(super) fn write(&mut self, at: usize, numbers: &[f32], dice: Dice, place: usize) {
        let codes = &mut self.codes[at..at + numbers.len()];
        match self.half {
            Half::Bf16(Rounding::Nearest) => {
                codes.iter_mut().zip(numbers).for_each(|(code, x)| *code = nearest(*x));
            }
            Half::Bf16(Rounding::Stochastic) => narrow_by_chance(codes, numbers, dice, place),
            Half::F16 => {
                let codes: &mut [f16] = codes.reinterpret_cast_mut();
                codes.convert_from_f32_slice(numbers);
            }
        }
    }
}

/// A bf16 as an f32.
#[inline(always)]
pub(super) fn widened(code: u16) -> f32 {
    f32::from_bits(u32::from(code) << 16)
}

/// The bf16 that is nearest; a NaN stays one.
#[inline(always)]
pub(super) fn nearest(x: f32) -> u16 {
    let bits = x.to_bits();
    with_added(bits, 0x7fff + (bits >> 16 & 1))
}

/// The upper half of the bits after something is added to the lower one.
#[inline(always)]
fn with_added(bits: u32, added: u32) -> u16 {
    let is_nan = bits & 0x7fff_ffff > 0x7f80_0000;
    (if is_nan { bits | 0x0040_0000 } else { bits.wrapping_add(added) } >> 16) as u16
}

/// Each number as the bf16 above or below it, by chance.
#[inline(always)]
pub(super) fn narrow_by_chance(codes: &mut [u16], numbers: &[f32], dice: Dice, place: usize) {
    for (number, (codes, numbers)) in codes.chunks_mut(64).zip(numbers.chunks(64)).enumerate() {
        let bits = sixteen_bits_of_64((place + 64 * number) as u32, dice);
        for ((code, x), bits) in codes.iter_mut().zip(numbers).zip(bits) {
            *code = with_added(x.to_bits(), bits);
        }
    }
}
