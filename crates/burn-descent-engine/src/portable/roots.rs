//! Powers as tensor operations, from square roots: a shader's own power is off by a hundred ulp in f32 and
//! wrong in f64, and CUDA calls a library for it that is not everywhere.

use super::Stack;
use super::interpreter::{APART, Value, Value::*};
use burn::tensor::DType;

/// A power, of a square or a square root for each binary digit of the exponent, from 64 down to less than changes
/// anything. Off by 20 ulp in f32 and by 1e-14 in f64 at most, with exponents in [-2, 2]; one of 128 or more counts
/// as one below, and one below 2⁻³² as 0 where the base is 0 or infinite.
pub(super) fn power(base: Stack, exponent: Value) -> Stack {
    const SQUARES: usize = 7;
    let roots = if base.dtype() == DType::F64 { 63 } else { 32 };
    let undefined = base.clone().greater_equal_elem(0).bool_not();
    let base = base.abs();
    let (base, mut rest) = match exponent {
        Float(y) => {
            let negative = y.clone().lower_elem(0);
            (base.clone().mask_where(negative, base.recip()), Float(y.abs()))
        }
        Number(y) => (if y < 0.0 { base.recip() } else { base }, Number(y.abs())),
        Mask(_) | Truth(_) => unreachable!("{APART}"),
    };
    let squares = core::iter::successors(Some(base), |x| Some(x.clone() * x.clone()));
    let mut squares: Vec<_> = squares.take(SQUARES).collect();
    let mut factor = squares[0].clone();
    let mut product = factor.ones_like();
    let mut digit = 2_f64.powi(SQUARES as i32);
    for _ in 0..SQUARES + roots {
        digit /= 2.0;
        factor = squares.pop().unwrap_or_else(|| factor.sqrt());
        match &mut rest {
            Number(rest) if *rest >= digit => {
                *rest -= digit;
                product = product * factor.clone();
            }
            Float(rest) => {
                let less = rest.clone().lower_elem(digit);
                *rest = rest.clone().sub_scalar(digit).mask_where(less.clone(), rest.clone());
                product = product * factor.clone().mask_fill(less, 1);
            }
            Number(0.0) => break,
            _ => {}
        }
    }
    // An exponent that is NaN or infinite leaves that.
    let product = match rest {
        Float(rest) => product + rest.mul_scalar(0),
        Number(rest) => product.add_scalar(rest * 0.0),
        Mask(_) | Truth(_) => unreachable!("{APART}"),
    };
    product.mask_fill(undefined, f64::NAN)
}

/// A cube root that is off by 4 % at most, as `x^(1/4) x^(1/16) x^(1/64) ...`.
pub(super) fn rough_cbrt(x: Stack) -> Stack {
    let (mut root, mut product) = (x.clone(), x.ones_like());
    for _ in 0..CBRT_FACTORS {
        root = root.sqrt().sqrt();
        product = product * root.clone();
    }
    product
}

/// Factors of a cube root that leave `x^(1/3 4^-7)`: 1.5 % for the greatest and the least numbers.
pub(crate) const CBRT_FACTORS: usize = 7;
