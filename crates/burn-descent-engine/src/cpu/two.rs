//! Two numbers side by side.

use burn_descent_rules::Real;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Two elements that a rule computes one operation after the other, first this, then that: while the
/// processor waits for a root or a division of the one, it goes on with the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Two<T>(pub(super) T, pub(super) T);

macro_rules! impl_binary {
    ($($operation:ident $method:ident),*) => {$(
        impl<T: Real> $operation for Two<T> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    )*};
}
impl_binary!(Add add, Sub sub, Mul mul, Div div);

impl<T: Real> Neg for Two<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

impl<T: Real> Real for Two<T> {
    type Mask = (T::Mask, T::Mask);
    const NARROW: bool = T::NARROW;

    #[inline(always)]
    fn lit(value: f64) -> Self {
        Self(T::lit(value), T::lit(value))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.sqrt(), self.1.sqrt())
    }
    #[inline(always)]
    fn cbrt(self) -> Self {
        Self(self.0.cbrt(), self.1.cbrt())
    }
    #[inline(always)]
    fn powf(self, exponent: Self) -> Self {
        Self(self.0.powf(exponent.0), self.1.powf(exponent.1))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }
    #[inline(always)]
    fn lt(self, other: Self) -> Self::Mask {
        (self.0.lt(other.0), self.1.lt(other.1))
    }
    #[inline(always)]
    fn select(mask: Self::Mask, yes: Self, no: Self) -> Self {
        Self(T::select(mask.0, yes.0, no.0), T::select(mask.1, yes.1, no.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: [f64; 7] = [-2.5, -0.0, 0.0, 1e-30, 0.7, 3e8, f64::INFINITY];

    /// All NaN are one.
    fn bits(x: f64) -> Option<u64> {
        (!x.is_nan()).then(|| x.to_bits())
    }

    /// Each half of what `f` makes of two numbers is what it makes of one.
    macro_rules! assert_apart {
        ($($f:path),* $(,)?) => {
            for (a, b) in NUMBERS.into_iter().flat_map(|a| NUMBERS.map(|b| (a, b))) {
                $(
                    let Two(first, second) = $f(Two(a, b), Two(b, a));
                    let (found, apart) = ([first, second], [$f(a, b), $f(b, a)]);
                    assert_eq!(found.map(bits), apart.map(bits), "{} of {a}, {b}", stringify!($f));
                )*
            }
        };
    }

    #[test]
    fn neither_knows_of_the_other() {
        fn plus<R: Real>(x: R, y: R) -> R {
            x + y
        }
        fn minus<R: Real>(x: R, y: R) -> R {
            x - y
        }
        fn times<R: Real>(x: R, y: R) -> R {
            x * y
        }
        fn by<R: Real>(x: R, y: R) -> R {
            x / y
        }
        fn roots<R: Real>(x: R, y: R) -> R {
            x.abs().sqrt() - y.abs().cbrt()
        }
        fn power<R: Real>(x: R, y: R) -> R {
            x.powf(y)
        }
        fn greater<R: Real>(x: R, y: R) -> R {
            Real::max(-x, y) * R::lit(0.3)
        }
        fn chosen<R: Real>(x: R, y: R) -> R {
            R::select(x.lt(y), x.sign(), Real::clamp(y, R::lit(-1.0), R::lit(1.0)))
        }
        fn curves<R: Real>(x: R, y: R) -> R {
            x.tanh() + x.atan2(y.abs())
        }
        assert_apart!(plus, minus, times, by, roots, power, greater, chosen, curves);
        assert_eq!((Two::<f32>::NARROW, Two::<f64>::NARROW), (f32::NARROW, f64::NARROW));
    }
}
