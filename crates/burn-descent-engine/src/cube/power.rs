//! A power in a kernel: the text of the CPU, since CUDA's own would be a call of its library of mathematical
//! functions, which is not everywhere, and that of shaders has few digits.
//!
//! CubeCL's expansion API is touched here, as in [`emit`](super::emit).

use burn_descent_rules::power::{self, Form, Parts};
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};
use cubecl::ir::Scope;
use cubecl::prelude::*;

/// Each element to the power of the exponent beside it.
pub(super) fn power<C: Float, N: Size>(
    scope: &Scope,
    x: NativeExpand<Vector<C, N>>,
    y: NativeExpand<Vector<C, N>>,
) -> NativeExpand<Vector<C, N>> {
    match C::elem_type(scope).size() {
        ..=4 => power_by::<C, u32, N>(scope, Form::F32, x, y),
        _ => power_by::<C, u64, N>(scope, Form::F64, x, y),
    }
}

fn power_by<C: Float, B: Int, N: Size>(
    scope: &Scope,
    form: Form,
    x: NativeExpand<Vector<C, N>>,
    y: NativeExpand<Vector<C, N>>,
) -> NativeExpand<Vector<C, N>> {
    let number = |value| Number::<C, B, N> { scope, form, value, bits: PhantomData };
    power::power(number(x), number(y)).value
}

/// Numbers of a kernel, one an element, with their bits in `B`.
struct Number<'a, C: Float, B: Int, N: Size> {
    scope: &'a Scope,
    form: Form,
    value: NativeExpand<Vector<C, N>>,
    bits: PhantomData<B>,
}

impl<C: Float, B: Int, N: Size> Clone for Number<'_, C, B, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C: Float, B: Int, N: Size> Copy for Number<'_, C, B, N> {}

macro_rules! impl_binary {
    ($($operation:ident $method:ident $expand:ident),*) => {$(
        impl<C: Float, B: Int, N: Size> $operation for Number<'_, C, B, N> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                Self { value: self.value.$expand(self.scope, other.value), ..self }
            }
        }
    )*};
}
impl_binary!(
    Add add __expand_add_method,
    Sub sub __expand_sub_method,
    Mul mul __expand_mul_method,
    Div div __expand_div_method
);

impl<C: Float, B: Int, N: Size> Parts for Number<'_, C, B, N> {
    fn form(self) -> Form {
        self.form
    }
    fn constant(self, value: f64) -> Self {
        let value = C::elem_type(self.scope).constant(value.into()).into();
        Self { value: Vector::<C, N>::__expand_new(self.scope, value), ..self }
    }
    fn if_less(self, other: Self, yes: Self, no: Self) -> Self {
        let less = self.value.__expand_lt_method(self.scope, &other.value).expand;
        Self { value: select::expand(self.scope, less.into(), yes.value, no.value), ..self }
    }
    fn unless_negative(self) -> Self {
        // A shader cannot name NaN, but it takes roots.
        let root = Self { value: self.value.__expand_sqrt_method(self.scope), ..self };
        let zero = self.constant(0.0);
        zero.if_less(self, zero, root)
    }
    fn split(self) -> (Self, Self) {
        let Self { scope, form, .. } = self;
        let x: NativeExpand<Vector<C, N>> = self.value.__expand_abs_method(scope).expand.into();
        let e = Self { value: exponent::expand::<C, B, N>(scope, x, form), ..self };
        let m = Self { value: mantissa::expand::<C, B, N>(scope, x, form), ..self };
        (e - self.constant(form.bias.into()), m)
    }
    fn upper(self) -> Self {
        Self { value: upper::expand::<C, B, N>(self.scope, self.value, self.form), ..self }
    }
    fn two_to(self) -> (Self, [Self; 2]) {
        let Self { scope, form, .. } = self;
        // The sum of two factors' exponents as bits have them, which is above 0.
        let twice = self.constant((2 * form.bias).into());
        let sum = whole::expand::<C, B, N>(scope, (self + twice + self.constant(0.5)).value);
        let n = Self { value: number::expand::<C, B, N>(scope, sum), ..self } - twice;
        let half = half::expand::<B, N>(scope, sum);
        let other = sum.__expand_sub_method(scope, half);
        let factor = |biased| power_of_two::expand::<C, B, N>(scope, biased, form);
        (n, [half, other].map(|biased| Self { value: factor(biased), ..self }))
    }
}

/// The bits of `x` above those of √½: then its exponent is the one to take.
#[cube]
fn above_root_half<C: Float, B: Int, N: Size>(
    x: Vector<C, N>,
    #[comptime] form: Form,
) -> Vector<B, N> {
    let shift = comptime!((form.one - form.root_half) as i64);
    Vector::<B, N>::reinterpret(x) + Vector::new(B::new(shift))
}

/// What the bits of the exponent are.
#[cube]
fn exponent<C: Float, B: Int, N: Size>(x: Vector<C, N>, #[comptime] form: Form) -> Vector<C, N> {
    let digits = comptime!(form.mantissa as i64);
    Vector::cast_from(above_root_half::<C, B, N>(x, form) >> Vector::new(B::new(digits)))
}

#[cube]
fn mantissa<C: Float, B: Int, N: Size>(x: Vector<C, N>, #[comptime] form: Form) -> Vector<C, N> {
    let mask = comptime!((1_i64 << form.mantissa) - 1);
    let root_half = comptime!(form.root_half as i64);
    let digits = above_root_half::<C, B, N>(x, form) & Vector::new(B::new(mask));
    Vector::<C, N>::reinterpret(digits + Vector::new(B::new(root_half)))
}

#[cube]
fn upper<C: Float, B: Int, N: Size>(x: Vector<C, N>, #[comptime] form: Form) -> Vector<C, N> {
    let half = Vector::new(B::new(comptime!(i64::from(form.mantissa.div_ceil(2)))));
    Vector::<C, N>::reinterpret((Vector::<B, N>::reinterpret(x) >> half) << half)
}

#[cube]
fn whole<C: Float, B: Int, N: Size>(x: Vector<C, N>) -> Vector<B, N> {
    Vector::cast_from(x)
}

#[cube]
fn number<C: Float, B: Int, N: Size>(whole: Vector<B, N>) -> Vector<C, N> {
    Vector::cast_from(whole)
}

#[cube]
fn half<B: Int, N: Size>(whole: Vector<B, N>) -> Vector<B, N> {
    whole >> Vector::new(B::new(1))
}

/// The power of 2 whose exponent has these bits.
#[cube]
fn power_of_two<C: Float, B: Int, N: Size>(
    biased: Vector<B, N>,
    #[comptime] form: Form,
) -> Vector<C, N> {
    let digits = comptime!(form.mantissa as i64);
    Vector::<C, N>::reinterpret(biased << Vector::new(B::new(digits)))
}
