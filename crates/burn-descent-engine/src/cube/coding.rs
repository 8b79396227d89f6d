//! Numbers in fewer bytes, read and written in a kernel: the same codes as on a CPU, but for the last bit of a quotient.
//!
//! A unit has four numbers: one word of bytes, two of halves. Numbers beyond the last one of a tensor are 0 when they are
//! written.

use super::noise::{places, sixteen_bits};
use crate::store::{Coding, Rounding, Store, Weights};
use cubecl::prelude::*;

/// The numbers of a unit.
pub(super) const WIDTH: usize = 4;

/// Units of a workgroup. Their numbers are as many as the largest block has.
pub(super) const UNITS: usize = 128;

pub(super) type Width = Const<4>;
type Numbers = Vector<f32, Width>;
type Codes = Vector<u32, Width>;

/// What a number of two bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Half {
    Bf16,
    F16,
}

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

/// The positive values of the dynamic map but 1, each the middle of a cell: in the decade `d` there are `2^(d + 1)` cells,
/// or half as many where there are negative values too.
#[cube]
fn dynamic_value(number: Codes, #[comptime] is_positive: bool) -> Numbers {
    // Counted so, the numbers of a decade have one highest bit, which is how many cells it has.
    let counted = Numbers::cast_from(number + Codes::new(comptime!(least_cells(is_positive))));
    let cells = Numbers::reinterpret(Codes::reinterpret(counted) & Codes::new(0x7f80_0000u32));
    let cell = counted - cells;
    let mut power = Numbers::new(1.0f32);
    #[unroll]
    for decade in 0..6usize {
        let here = comptime!((least_cells(is_positive) << decade) as f32);
        let tenth = comptime!(power_of_ten(decade));
        power = select_many(cells.equal(&Numbers::new(here)), Numbers::new(tenth), power);
    }
    let half = Numbers::new(0.5f32);
    power * (Numbers::new(0.1f32) + Numbers::new(0.9f32) * (cell + half) / cells)
}

/// The cells of the lowest decade.
fn least_cells(is_positive: bool) -> u32 {
    if is_positive { 2 } else { 1 }
}

/// Where a decade ends.
fn power_of_ten(decade: usize) -> f32 {
    10_f64.powi(decade as i32 - 6) as f32
}

/// The byte of 0.
fn zero_of(is_positive: bool) -> u32 {
    if is_positive { 0 } else { 127 }
}

/// The share of a byte of the dynamic map.
#[cube]
fn dynamic_share(codes: Codes, #[comptime] is_positive: bool) -> Numbers {
    let zero = comptime!(zero_of(is_positive));
    let is_below = codes.less_than(&Codes::new(zero));
    let above = codes - Codes::new(zero + 1u32);
    let below = Codes::new(zero) - Codes::new(1u32) - codes;
    let value = dynamic_value(select_many(is_below, below, above), is_positive);
    let signed = select_many(is_below, -value, value);
    let is_zero = codes.equal(&Codes::new(zero));
    let not_one = select_many(is_zero, Numbers::new(0.0f32), signed);
    select_many(codes.equal(&Codes::new(255u32)), Numbers::new(1.0f32), not_one)
}

/// The byte of the dynamic map that is nearest: that of the cell in which the share is, or one beside it.
#[cube]
fn dynamic_code(share: Numbers, #[comptime] is_positive: bool) -> Codes {
    let zero = comptime!(zero_of(is_positive));
    let size = share.abs();
    let least = comptime!(least_cells(is_positive));
    let (mut power, mut cells) = (Numbers::new(comptime!(power_of_ten(0))), Codes::new(least));
    #[unroll]
    for decade in 1..7usize {
        let end = comptime!(power_of_ten(decade - 1));
        let is_above = Numbers::new(end).less_than(&size);
        power = select_many(is_above, Numbers::new(comptime!(power_of_ten(decade))), power);
        cells = select_many(is_above, Codes::new(comptime!(least << decade)), cells);
    }
    let place =
        (size / power - Numbers::new(0.1f32)) * Numbers::cast_from(cells) / Numbers::new(0.9f32);
    let cell = Codes::cast_from(max(place, Numbers::new(0.0f32)));
    let number = min(cell, cells - Codes::new(1u32)) + cells - Codes::new(least);
    let is_below = share.less_than(&Numbers::new(0.0f32));
    let above = Codes::new(zero) + Codes::new(1u32) + number;
    let below = Codes::new(zero) - Codes::new(1u32) - number;
    let code = select_many(is_below, below, above);
    let lower = max(code, Codes::new(1u32)) - Codes::new(1u32);
    let upper = min(code + Codes::new(1u32), Codes::new(255u32));
    let here = dynamic_share(code, is_positive);
    let half = Numbers::new(0.5f32);
    let is_lower = share.less_equal(&((dynamic_share(lower, is_positive) + here) * half));
    let is_upper = ((here + dynamic_share(upper, is_positive)) * half).less_than(&share);
    select_many(is_upper, upper, select_many(is_lower, lower, code))
}

/// Two bytes for each number of a unit.
#[cube]
fn read_halves(
    lists: &Sequence<Box<[u32]>>,
    unit: usize,
    count: usize,
    #[comptime] at: usize,
) -> Codes {
    let words = &lists[at];
    let first = words[2 * unit];
    let second = words[min(2 * unit + 1, count.div_ceil(2) - 1)];
    let mut codes = Codes::empty();
    codes.insert(0usize, first & 0xffffu32);
    codes.insert(1usize, first >> 16u32);
    codes.insert(2usize, second & 0xffffu32);
    codes.insert(3usize, second >> 16u32);
    codes
}

#[cube]
fn write_halves(
    lists: &mut Sequence<Box<[u32]>>,
    codes: Codes,
    unit: usize,
    count: usize,
    there: bool,
    #[comptime] at: usize,
) {
    let words = &mut lists[at];
    let inside = places::<Width>(unit).less_than(&Codes::new(count as u32));
    let codes = select_many(inside, codes, Codes::new(0u32));
    if there {
        words[2 * unit] = codes.extract(0usize) | (codes.extract(1usize) << 16u32);
        if 2 * unit + 1 < count.div_ceil(2) {
            words[2 * unit + 1] = codes.extract(2usize) | (codes.extract(3usize) << 16u32);
        }
    }
}

/// The numbers that two bytes stand for.
#[cube]
fn of_half(codes: Codes, #[comptime] half: Half) -> Numbers {
    if comptime!(half == Half::Bf16) {
        Numbers::reinterpret(codes << Codes::new(16u32))
    } else {
        let sign = (codes & Codes::new(0x8000u32)) << Codes::new(16u32);
        let size = codes & Codes::new(0x7fffu32);
        let moved = size << Codes::new(13u32);
        let normal = moved + Codes::new(0x3800_0000u32);
        let endless = moved + Codes::new(0x7000_0000u32);
        let small = Codes::reinterpret(
            Numbers::cast_from(size) * Numbers::new(comptime!(1.0 / 16_777_216.0f32)),
        );
        let is_finite = size.less_than(&Codes::new(0x7c00u32));
        let bits = select_many(is_finite, normal, endless);
        let bits = select_many(size.less_than(&Codes::new(0x400u32)), small, bits);
        Numbers::reinterpret(bits | sign)
    }
}

/// The two bytes that are nearest, the even ones of two that are as near; a NaN stays one.
#[cube]
fn half_nearest(numbers: Numbers, #[comptime] half: Half) -> Codes {
    let bits = Codes::reinterpret(numbers);
    let one = Codes::new(1u32);
    if comptime!(half == Half::Bf16) {
        let added = Codes::new(0x7fffu32) + ((bits >> Codes::new(16u32)) & one);
        upper_half(bits, added)
    } else {
        let sign = (bits >> Codes::new(16u32)) & Codes::new(0x8000u32);
        let size = bits & Codes::new(0x7fff_ffffu32);
        let odd = (size >> Codes::new(13u32)) & one;
        let normal =
            ((size + Codes::new(0xfffu32) + odd) >> Codes::new(13u32)) - Codes::new(0x1_c000u32);
        // What is too large is infinite.
        let normal = min(normal, Codes::new(0x7c00u32));
        // Of what is below 2⁻¹⁴ the codes are as far apart as whole numbers are.
        let steps = numbers.abs() * Numbers::new(16_777_216.0f32) + Numbers::new(8_388_608.0f32);
        let small = Codes::reinterpret(steps) - Codes::new(0x4b00_0000u32);
        let is_small = size.less_than(&Codes::new(0x3880_0000u32));
        let is_nan = Codes::new(0x7f80_0000u32).less_than(&size);
        let code = select_many(is_small, small, normal);
        select_many(is_nan, Codes::new(0x7e00u32), code) | sign
    }
}

/// One of the two bytes that a number lies between, by chance.
#[cube]
fn half_by_chance(
    numbers: Numbers,
    unit: usize,
    dice: &Sequence<InputScalar>,
    #[comptime] first: usize,
    #[comptime] half: Half,
) -> Codes {
    let chance = sixteen_bits::<Width>(unit, dice, first);
    if comptime!(half == Half::Bf16) {
        upper_half(Codes::reinterpret(numbers), chance)
    } else {
        let code = half_nearest(numbers, half);
        let near = of_half(code, half);
        // The other one of the two is a step further from 0, or nearer to it.
        let size = numbers.abs();
        let one = Codes::new(1u32);
        let further = near.abs().less_than(&size);
        let other = select_many(further, code + one, code - one);
        let share = (numbers - near) / (of_half(other, half) - near);
        let is_other = Numbers::cast_from(chance).less_than(&(share * Numbers::new(65_536.0f32)));
        let is_between = numbers.not_equal(&near);
        select_many(is_other, select_many(is_between, other, code), code)
    }
}

/// The upper half of the bits after something is added to the lower one.
#[cube]
fn upper_half(bits: Codes, added: Codes) -> Codes {
    let size = bits & Codes::new(0x7fff_ffffu32);
    let is_nan = Codes::new(0x7f80_0000u32).less_than(&size);
    let moved = select_many(is_nan, bits | Codes::new(0x0040_0000u32), bits + added);
    moved >> Codes::new(16u32)
}
