//! bitsandbytes' dynamic map in a kernel: computed, where a CPU looks it up.

use super::coding::{Codes, Numbers};
use cubecl::prelude::*;

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
pub(super) fn dynamic_share(codes: Codes, #[comptime] is_positive: bool) -> Numbers {
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
pub(super) fn dynamic_code(share: Numbers, #[comptime] is_positive: bool) -> Codes {
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
