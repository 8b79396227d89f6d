//! The noise of a gradient in a kernel: the numbers that every engine draws.
//!
//! CubeCL's expansion API is touched here, as in [`emit`](super::emit).

use burn_descent_rules::noise::{self, MEAN};
use cubecl::ir::Scope;
use cubecl::prelude::*;

/// What is drawn for the elements of a unit, less its mean.
pub(super) fn drawn<C: Float, N: Size>(
    scope: &Scope,
    unit: NativeExpand<usize>,
    key: [NativeExpand<u32>; 3],
) -> NativeExpand<Vector<C, N>> {
    let word = |value| Word::<N> { scope, value };
    let places = word(places::expand::<N>(scope, unit));
    let key = key.map(|key| word(Vector::<u32, N>::__expand_new(scope, key)));
    let sum = noise::drawn(places, key).value;
    centred::expand::<C, N>(scope, sum)
}

/// The sixteen random bits of each element of a unit, by the three words of a key from this one on.
#[cube]
pub(super) fn sixteen_bits<N: Size>(
    unit: usize,
    keys: &Sequence<InputScalar>,
    #[comptime] first: usize,
) -> Vector<u32, N> {
    let words = words_of_eight::<N>(unit, keys, first);
    let place = unit * N::value();
    let number = place % 64 / 16;
    let mut word = words[0usize];
    #[unroll]
    for other in 1..4usize {
        word = select(number == other, words[other], word);
    }
    (word >> Vector::new((place / 8 % 2 * 16) as u32)) & Vector::new(0xffffu32)
}

/// [`noise::words_of_eight`] of each element of a unit.
#[cube]
#[allow(unused_variables)] // read in the expansion
fn words_of_eight<N: Size>(
    unit: usize,
    keys: &Sequence<InputScalar>,
    #[comptime] first: usize,
) -> Sequence<Vector<u32, N>> {
    intrinsic!(|scope| {
        let word = |value| Word::<N> { scope, value };
        let place = word(places::expand::<N>(scope, unit));
        let keys = keys.clone().into_iter().skip(first);
        let keys = keys.map(|key| key.__expand_get_method::<u32>(scope));
        let keys = keys.map(|key| word(Vector::<u32, N>::__expand_new(scope, key)));
        let keys: Vec<_> = keys.take(3).collect();
        let mut words = Sequence::<Vector<u32, N>>::__expand_new(scope);
        for each in noise::words_of_eight(place, [keys[0], keys[1], keys[2]]) {
            words.__expand_push_method(scope, each.value);
        }
        words
    })
}

/// The places of the elements of a unit in their tensor.
#[cube]
pub(super) fn places<N: Size>(unit: usize) -> Vector<u32, N> {
    let mut lanes = Vector::<u32, N>::empty();
    #[unroll]
    for lane in 0..N::value() {
        lanes.insert(lane, comptime!(lane as u32));
    }
    Vector::new(unit as u32 * N::value() as u32) + lanes
}

#[cube]
fn centred<C: Float, N: Size>(sum: Vector<u32, N>) -> Vector<C, N> {
    Vector::cast_from(sum) - Vector::new(C::new(comptime!(MEAN as f32)))
}

/// Words of a kernel, one an element.
struct Word<'a, N: Size> {
    scope: &'a Scope,
    value: NativeExpand<Vector<u32, N>>,
}

impl<N: Size> Clone for Word<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<N: Size> Copy for Word<'_, N> {}

impl<N: Size> noise::Word for Word<'_, N> {
    fn constant(self, value: u32) -> Self {
        let value = Vector::<u32, N>::__expand_new(self.scope, value.into());
        Self { value, ..self }
    }
    fn plus(self, other: Self) -> Self {
        Self { value: self.value.__expand_add_method(self.scope, other.value), ..self }
    }
    fn times(self, other: Self) -> Self {
        Self { value: self.value.__expand_mul_method(self.scope, other.value), ..self }
    }
    fn xor(self, other: Self) -> Self {
        Self { value: self.value.__expand_bitxor_method(self.scope, other.value), ..self }
    }
    fn and(self, other: Self) -> Self {
        Self { value: self.value.__expand_bitand_method(self.scope, other.value), ..self }
    }
    fn down(self, bits: u32) -> Self {
        let bits = self.constant(bits);
        Self { value: self.value.__expand_shr_method(self.scope, bits.value), ..self }
    }
}
