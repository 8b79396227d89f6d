//! Two bytes for a number in a kernel: bf16 and f16 by their bits, for not every device has their types.

use super::coding::{Codes, Numbers, Width};
use super::noise::{places, sixteen_bits};
use cubecl::prelude::*;

/// What a number of two bytes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Half {
    Bf16,
    F16,
}

/// Two bytes for each number of a unit.
#[cube]
pub(super) fn read_halves(
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
pub(super) fn write_halves(
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
pub(super) fn of_half(codes: Codes, #[comptime] half: Half) -> Numbers {
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
pub(super) fn half_nearest(numbers: Numbers, #[comptime] half: Half) -> Codes {
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
pub(super) fn half_by_chance(
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
