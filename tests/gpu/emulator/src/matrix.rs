//! Fragments of matrices in the registers of a warp.
//!
//! Which element lies in which register is unspecified in PTX. Here element `e` lies in lane `e % 32`, and in
//! each lane one after another, two halves to a register.

use crate::execute::{Fault, Surroundings, number};
use crate::number::{F16, F32, Rounding, tf32};
use crate::program::{Fragment, Product, Slot};
use crate::types::Type;
use crate::warp::{LANES, Member, register};

fn element(warp: &mut [Member], slots: &[Slot], bytes: u8, at: usize) -> u64 {
    let (lane, place) = (at % LANES, at / LANES);
    match bytes {
        2 => *register(warp, lane, slots[place / 2]) >> (16 * (place % 2)) & 0xffff,
        _ => *register(warp, lane, slots[place]) & 0xffff_ffff,
    }
}

fn set_element(warp: &mut [Member], slots: &[Slot], bytes: u8, at: usize, value: u64) {
    let (lane, place) = (at % LANES, at / LANES);
    if bytes == 2 {
        let register = register(warp, lane, slots[place / 2]);
        let shift = 16 * (place % 2);
        *register = *register & !(0xffff << shift) & 0xffff_ffff | value << shift;
    } else {
        *register(warp, lane, slots[place]) = value;
    }
}

/// The address of each element, in rows.
fn places(fragment: &Fragment, warp: &[Member]) -> impl Iterator<Item = (usize, u64)> + use<> {
    let thread = &warp[0].thread;
    let start = thread.address(fragment.at);
    let stride = thread.get(fragment.stride) & 0xffff_ffff;
    let (rows, columns) = (fragment.rows, fragment.columns);
    let (column_major, bytes) = (fragment.column_major, u64::from(fragment.bytes));
    (0..rows * columns).map(move |at| {
        let (row, column) = ((at / columns) as u64, (at % columns) as u64);
        let place = if column_major { column * stride + row } else { row * stride + column };
        (at, start.wrapping_add(bytes * place))
    })
}

/// Reads a matrix.
pub(crate) fn load(
    fragment: &Fragment,
    warp: &mut [Member],
    around: &mut Surroundings,
) -> Result<(), Fault> {
    let (space, bytes) = (fragment.at.space, fragment.bytes);
    for (at, address) in places(fragment, warp) {
        let thread = &warp[0].thread;
        let Some(found) = thread.bytes(around, space, address, bytes.into()) else {
            return Err(thread.fault(around, space, address, bytes.into()));
        };
        let value = number(found, bytes);
        set_element(warp, &fragment.registers, bytes, at, value);
    }
    Ok(())
}

/// Writes a matrix.
pub(crate) fn store(
    fragment: &Fragment,
    warp: &mut [Member],
    around: &mut Surroundings,
) -> Result<(), Fault> {
    let (space, bytes) = (fragment.at.space, fragment.bytes);
    for (at, address) in places(fragment, warp) {
        let value = element(warp, &fragment.registers, bytes, at);
        let thread = &mut warp[0].thread;
        let Some(found) = thread.bytes_mut(around, space, address, bytes.into()) else {
            return Err(thread.fault(around, space, address, bytes.into()));
        };
        found.copy_from_slice(&value.to_le_bytes()[..usize::from(bytes)]);
    }
    Ok(())
}

/// Multiplies matrices. Sums are in f64, and rounded once.
pub(crate) fn multiply(product: &Product, warp: &mut [Member]) {
    let Product { m, n, k, factor, addend, result, registers } = product;
    let [d, a, b, c] = registers;
    let numbers = |warp: &mut [Member], slots: &[Slot], of: Type, count: usize| -> Vec<f64> {
        (0..count).map(|at| read(of, element(warp, slots, of.bytes() as u8, at))).collect()
    };
    let a = numbers(warp, a, *factor, m * k);
    let b = numbers(warp, b, *factor, k * n);
    let c = numbers(warp, c, *addend, m * n);
    for (at, start) in c.into_iter().enumerate() {
        let (row, column) = (at / n, at % n);
        let sum = (0..*k).fold(start, |sum, q| sum + a[row * k + q] * b[q * n + column]);
        let format = if *result == Type::F16 { F16 } else { F32 };
        let value = format.narrow(sum, Rounding::Nearest);
        set_element(warp, d, result.bytes() as u8, at, value);
    }
}

/// The number that an element stands for.
fn read(of: Type, bits: u64) -> f64 {
    match of {
        Type::F16 => F16.widen(bits),
        Type::Bf16 => F32.widen(bits << 16),
        // what is not tf32 yet loses its lowest bits
        Type::Tf32 => F32.widen(tf32(f32::from_bits(bits as u32), Rounding::Zero)),
        _ => F32.widen(bits),
    }
}
