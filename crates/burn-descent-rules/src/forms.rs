//! Which optional states and scalars a rule has with its options, as types.

use crate::fields::ALWAYS;
use crate::{Fields, Forms, Nothing, Presence, Rule, Visitor};
use core::marker::PhantomData;

/// What to do with a rule once the presence of each optional state, `P`, and of each optional
/// scalar, `Q`, is a type.
pub trait RuleVisitor {
    /// What it results in.
    type Output;
    /// Does it.
    fn visit<P: Presence, Q: Presence>(self) -> Self::Output;
}

/// Visits the form that this rule has with its options.
pub fn choose<U: Rule, V: RuleVisitor>(rule: &U, visitor: V) -> V::Output {
    let scalars = rule.scalars(1.0, 1).presence();
    let visitor = States::<U, V> { visitor, scalars, rule: PhantomData };
    <U::State<f64> as Fields<f64>>::Forms::choose::<Nothing, _>(rule.start().presence(), visitor)
}

struct States<U, V> {
    visitor: V,
    /// [`Fields::presence`] of the scalars.
    scalars: u32,
    rule: PhantomData<U>,
}

impl<U: Rule, V: RuleVisitor> Visitor for States<U, V> {
    type Output = V::Output;
    fn visit<P: Presence>(self) -> V::Output {
        let visitor = Scalars::<P, V>(self.visitor, PhantomData);
        <U::Scalars<f64> as Fields<f64>>::Forms::choose::<Nothing, _>(self.scalars, visitor)
    }
}

struct Scalars<P, V>(V, PhantomData<P>);

impl<P: Presence, V: RuleVisitor> Visitor for Scalars<P, V> {
    type Output = V::Output;
    fn visit<Q: Presence>(self) -> V::Output {
        self.0.visit::<P, Q>()
    }
}

/// Is a field of the form `P` one of rows or columns?
pub const fn has_lines<F: Fields<()>, P: Presence>() -> bool {
    F::LINES & (P::BITS | ALWAYS) != 0
}

/// How many fields there are in the form `P`.
pub fn lanes<F: Fields<()>, P: Presence>() -> usize {
    let mut lanes = 0;
    F::read::<P>(|_| lanes += 1);
    lanes
}
