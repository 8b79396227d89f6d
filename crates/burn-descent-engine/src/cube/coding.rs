//! Numbers in fewer bytes, read and written in a kernel: the same codes as on a CPU, but for the last bit of a quotient.
//!
//! A unit has four numbers: one word of bytes, two of halves. Numbers beyond the last one of a tensor are 0 when they are
//! written.

use super::dynamic::{dynamic_code, dynamic_share};
use super::halves::{Half, half_by_chance, half_nearest, of_half, read_halves, write_halves};
use super::noise::places;
use crate::store::{BLOCKS, Coding, Rounding, Store, Weights};
use cubecl::prelude::*;

/// The numbers of a unit.
pub(super) const WIDTH: usize = 4;

/// Units of a workgroup. Their numbers are as many as the largest block has.
pub(super) const UNITS: usize = 128;

const _: () = assert!(UNITS * WIDTH >= *BLOCKS.end(), "a workgroup has whole blocks");

pub(super) type Width = Const<4>;
pub(super) type Numbers = Vector<f32, Width>;
pub(super) type Codes = Vector<u32, Width>;

/// The half of a store that has two bytes.
fn half_of(store: Store) -> Half {
    if store == Store::F16 { Half::F16 } else { Half::Bf16 }
}

/// How many units have a block; 0 where there are none.
fn units_of_block(coding: Coding) -> usize {
    coding.store.block().unwrap_or(0) / WIDTH
}

fn is_dynamic(coding: Coding) -> bool {
    matches!(coding.store, Store::Dynamic8 { .. })
}

/// The numbers of a unit, of so many in all, in the list of words that is `at` this place.
#[cube]
pub(super) fn read(
    lists: &Sequence<Box<[u32]>>,
    unit: usize,
    count: usize,
    #[comptime] at: usize,
    #[comptime] coding: Coding,
) -> Numbers {
    let words = &lists[at];
    let block = comptime!(units_of_block(coding));
    if comptime!(block > 0) {
        let codes = (Codes::new(words[unit]) >> shifts()) & Codes::new(0xffu32);
        let largest = f32::reinterpret(words[count.div_ceil(WIDTH) + unit / block]);
        share_of(codes, coding) * Numbers::new(largest)
    } else {
        of_half(read_halves(lists, unit, count, at), comptime!(half_of(coding.store)))
    }
}

/// Keeps the numbers of a unit. All units of a workgroup call it; those that are not `there` keep nothing.
#[cube]
pub(super) fn write(
    lists: &mut Sequence<Box<[u32]>>,
    numbers: Numbers,
    unit: usize,
    count: usize,
    there: bool,
    dice: &Sequence<InputScalar>,
    #[comptime] at: usize,
    #[comptime] coding: Coding,
) {
    let inside = places::<Width>(unit).less_than(&Codes::new(count as u32));
    let numbers = select_many(inside, numbers, Numbers::new(0.0f32));
    let block = comptime!(units_of_block(coding));
    if comptime!(block > 0) {
        let bits = Codes::reinterpret(numbers) & Codes::new(0x7fff_ffffu32);
        let largest = largest_of_block(bits, block);
        // Of a largest number that is 0, or has no reciprocal, the shares are 0.
        let is_normal = largest >= 0x0080_0000u32;
        let reciprocal = select(is_normal, 1.0f32 / f32::reinterpret(largest), 0.0f32);
        let codes = code_of(numbers * Numbers::new(reciprocal), coding);
        if there {
            let words = &mut lists[at];
            let code = (codes & Codes::new(0xffu32)) << shifts();
            words[unit] = code.extract(0usize)
                | code.extract(1usize)
                | code.extract(2usize)
                | code.extract(3usize);
            if unit.is_multiple_of(block) {
                words[count.div_ceil(WIDTH) + unit / block] = largest;
            }
        }
    } else {
        let by_chance = comptime!(coding.store == Store::Bf16(Rounding::Stochastic));
        let half = comptime!(half_of(coding.store));
        let codes = if comptime!(by_chance) {
            half_by_chance(numbers, unit, dice, comptime!(3 * at), half)
        } else {
            half_nearest(numbers, half)
        };
        write_halves(lists, codes, unit, count, there, at);
    }
}

/// The weights of a unit as they are computed, of what is in the tensor and beside it.
#[cube]
pub(super) fn read_weights(
    kept: Numbers,
    lists: &Sequence<Box<[u32]>>,
    unit: usize,
    count: usize,
    #[comptime] at: usize,
    #[comptime] weights: Weights,
    #[comptime] half: Half,
) -> Numbers {
    if comptime!(weights == Weights::Kahan) {
        kept + of_half(read_halves(lists, unit, count, at), half)
    } else if comptime!(weights == Weights::Split) {
        // With a sign.
        let below = read_halves(lists, unit, count, at) ^ Codes::new(0x8000u32);
        Numbers::reinterpret(Codes::reinterpret(kept) + below - Codes::new(0x8000u32))
    } else {
        kept
    }
}

/// What is kept of the weights of a unit: numbers that the type of the tensor has, and what is beside it.
#[cube]
pub(super) fn write_weights(
    numbers: Numbers,
    lists: &mut Sequence<Box<[u32]>>,
    unit: usize,
    count: usize,
    there: bool,
    dice: &Sequence<InputScalar>,
    #[comptime] at: usize,
    #[comptime] weights: Weights,
    #[comptime] half: Half,
) -> Numbers {
    if comptime!(weights == Weights::Stochastic) {
        of_half(half_by_chance(numbers, unit, dice, comptime!(3 * at), half), half)
    } else if comptime!(weights == Weights::Kahan) {
        let kept = of_half(half_nearest(numbers, half), half);
        write_halves(lists, half_nearest(numbers - kept, half), unit, count, there, at);
        kept
    } else if comptime!(weights == Weights::Split) {
        let bits = Codes::reinterpret(numbers);
        let magnitude = bits & Codes::new(0x7fff_ffffu32);
        let is_nan = Codes::new(0x7f80_0000u32).less_than(&magnitude);
        let bits = select_many(is_nan, Codes::new(0x7fc0_0000u32), bits);
        write_halves(lists, bits & Codes::new(0xffffu32), unit, count, there, at);
        let above = (bits + Codes::new(0x8000u32)) & Codes::new(0xffff_0000u32);
        Numbers::reinterpret(above)
    } else {
        numbers
    }
}

/// By how many bits the codes of a word are moved up in it.
#[cube]
fn shifts() -> Codes {
    places::<Width>(0usize.runtime()) * Codes::new(8u32)
}

/// The largest number of each block of so many units.
#[cube]
fn largest_of_block(bits: Codes, #[comptime] units: usize) -> u32 {
    let mut most = Shared::<[u32]>::new_slice(UNITS);
    let here = UNIT_POS as usize;
    let pairs = max(
        max(bits.extract(0usize), bits.extract(1usize)),
        max(bits.extract(2usize), bits.extract(3usize)),
    );
    most[here] = pairs;
    #[unroll]
    for turn in 0..comptime!(units.ilog2() as usize) {
        sync_cube();
        let step = comptime!(units >> (turn + 1));
        if here % units < step {
            most[here] = max(most[here], most[here + step]);
        }
    }
    sync_cube();
    most[here / units * units]
}

/// The share of the largest number that a byte stands for.
#[cube]
fn share_of(codes: Codes, #[comptime] coding: Coding) -> Numbers {
    if comptime!(is_dynamic(coding)) {
        dynamic_share(codes, coding.is_positive)
    } else if comptime!(coding.is_positive) {
        let y = Numbers::cast_from(codes) * Numbers::new(1.0f32 / 255.0f32);
        y * y
    } else {
        let code = Numbers::cast_from(codes);
        let is_negative = Codes::new(127u32).less_than(&codes);
        let signed = select_many(is_negative, code - Numbers::new(256.0f32), code);
        let y = signed * Numbers::new(1.0f32 / 127.0f32);
        y / (Numbers::new(2.0f32) - y.abs())
    }
}

/// The byte whose share is nearest.
#[cube]
fn code_of(share: Numbers, #[comptime] coding: Coding) -> Codes {
    if comptime!(is_dynamic(coding)) {
        dynamic_code(share, coding.is_positive)
    } else if comptime!(coding.is_positive) {
        let code = rounded(Numbers::new(255.0f32) * share.sqrt());
        // What is not 0 is not kept as 0: it may be under a fraction.
        let is_more = Numbers::new(0.0f32).less_than(&share);
        max(code, select_many(is_more, Codes::new(1u32), Codes::new(0u32)))
    } else {
        let y = Numbers::new(2.0f32) * share / (Numbers::new(1.0f32) + share.abs());
        rounded(Numbers::new(127.0f32) * y)
    }
}

/// The nearest whole number of one between -2²² and 2²², by the bits that are left of a sum.
#[cube]
fn rounded(x: Numbers) -> Codes {
    // The bits of the number that is added.
    Codes::reinterpret(x + Numbers::new(12_582_912.0f32)) - Codes::new(0x4b40_0000u32)
}
