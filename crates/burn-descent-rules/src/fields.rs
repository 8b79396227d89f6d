//! Named numbers: the state and the scalars of a rule.
//!
//! [`fields!`](crate::fields) declares a struct whose fields all have one type, so that a rule
//! reads `s.m` and `k.beta1` while an engine fills the same struct from numbered lanes. A field
//! may be `optional`: an option of the rule decides whether it is there, and the compiler sees each case
//! on its own, so that an absent state costs neither memory nor a branch in a loop. The same choice may be
//! for several fields, which are there `together` or one `instead` of the other. A state may be one number
//! for a row, a column or the tensor: see [`Domain`]; one for each element may be `positive`.

use crate::Domain;

/// A struct of named fields of one type, declared with [`fields!`](crate::fields).
pub trait Fields<R: Copy>: Copy {
    /// The cases of presence of the optional fields.
    type Forms: Forms;

    /// Fills the present fields from their lanes, `lane(0)` first.
    fn read<P: Presence>(lane: impl FnMut(usize) -> R) -> Self;

    /// Gives back the fields present in `P`, with their lane and name.
    fn write<P: Presence>(self, lane: impl FnMut(usize, &'static str, R));

    /// Bit `i` is set when the field number `i` of those that are `optional` is present.
    fn presence(&self) -> u32;

    /// Is there a field whose domain is not [`Domain::Element`]?
    const COARSE: bool = false;

    /// Bit `i` is set where the `optional` field number `i` is of rows or columns, and [`ALWAYS`] where there is always
    /// one.
    const LINES: u32 = 0;

    /// Shows the domains of the fields present in `P`, `lane(0)` first, and which of them are `positive`.
    fn domains<P: Presence>(lane: impl FnMut(usize, Domain, bool));

    /// Lane, name and value of the fields present in `self`.
    fn lanes(self) -> Vec<(&'static str, R)> {
        struct Collect<F>(F);
        impl<R: Copy, F: Fields<R>> Visitor for Collect<(F, core::marker::PhantomData<R>)> {
            type Output = Vec<(&'static str, R)>;
            fn visit<P: Presence>(self) -> Self::Output {
                let mut list = Vec::new();
                self.0.0.write::<P>(|_, name, value| list.push((name, value)));
                list
            }
        }
        let bits = self.presence();
        Self::Forms::choose::<Nothing, _>(bits, Collect((self, core::marker::PhantomData)))
    }
}

/// The bit of [`Fields::LINES`] for what no option decides.
pub const ALWAYS: u32 = 1 << 31;

/// The names of [lanes](Fields::lanes).
pub fn names(lanes: Vec<(&'static str, f64)>) -> Vec<&'static str> {
    lanes.into_iter().map(|(name, _)| name).collect()
}

/// The values of [lanes](Fields::lanes).
pub fn values(lanes: Vec<(&'static str, f64)>) -> Vec<f64> {
    lanes.into_iter().map(|(_, value)| value).collect()
}

/// Which optional fields are present, as a type.
pub trait Presence: 'static {
    /// Bit `i` is set when the optional field number `i` is present.
    const BITS: u32;
    /// How many optional fields have been decided.
    const DECIDED: u32;

    /// Is the optional field number `field` present?
    #[inline(always)]
    fn has(field: u32) -> bool {
        (Self::BITS >> field) & 1 == 1
    }
}

/// No optional field decided yet.
pub struct Nothing;
/// The next optional field is present.
pub struct With<P>(core::marker::PhantomData<P>);
/// The next optional field is absent.
pub struct Without<P>(core::marker::PhantomData<P>);

impl Presence for Nothing {
    const BITS: u32 = 0;
    const DECIDED: u32 = 0;
}
impl<P: Presence> Presence for With<P> {
    const BITS: u32 = P::BITS | 1 << P::DECIDED;
    const DECIDED: u32 = P::DECIDED + 1;
}
impl<P: Presence> Presence for Without<P> {
    const BITS: u32 = P::BITS;
    const DECIDED: u32 = P::DECIDED + 1;
}

/// What to do once the presence of every optional field is a type.
pub trait Visitor {
    /// What it results in.
    type Output;
    /// Does it for the presence `P`.
    fn visit<P: Presence>(self) -> Self::Output;
}

/// Turns the bits of [`Fields::presence`] into a type.
pub trait Forms {
    /// Visits the form that `bits` name, beginning with the fields already decided in `P`.
    fn choose<P: Presence, V: Visitor>(bits: u32, visitor: V) -> V::Output;
}

/// No optional field is left.
pub struct Fixed;
/// One optional field, then the others.
pub struct Optional<F>(core::marker::PhantomData<F>);

impl Forms for Fixed {
    fn choose<P: Presence, V: Visitor>(_: u32, visitor: V) -> V::Output {
        visitor.visit::<P>()
    }
}
impl<F: Forms> Forms for Optional<F> {
    fn choose<P: Presence, V: Visitor>(bits: u32, visitor: V) -> V::Output {
        if bits & 1 == 1 {
            F::choose::<With<P>, V>(bits >> 1, visitor)
        } else {
            F::choose::<Without<P>, V>(bits >> 1, visitor)
        }
    }
}

/// The first word of a field, as [`fields!`](crate::fields) writes it: can the field be absent?
pub mod presence {
    /// The type of a field.
    pub trait Kind {
        /// Its type, where a present field is an `R`.
        type Of<R>;
    }

    /// The field is always there.
    pub struct Required;
    impl Kind for Required {
        type Of<R> = R;
    }

    /// The field is there if an option of the rule says so.
    #[allow(non_camel_case_types)]
    pub struct optional;
    impl Kind for optional {
        type Of<R> = Option<R>;
    }

    /// The field is there if the `optional` one before it is: one choice for both.
    #[allow(non_camel_case_types)]
    pub type together = optional;

    /// The field is there if the `optional` one before it is not.
    #[allow(non_camel_case_types)]
    pub type instead = optional;

    macro_rules! domains {
        ($($domain:ident),*) => {$(
            #[doc = concat!("There, with the domain `", stringify!($domain), "`.")]
            pub type $domain = Required;
        )*};
    }
    domains!(Element, Row, Column, Matrix, Tensor, Model);

    /// One number for each element, that is never less than 0: it can be kept in eight bits without a sign.
    #[allow(non_camel_case_types)]
    pub type positive = Required;
}

/// A field of a struct declared with [`fields!`](crate::fields): `R`, or `Option<R>` where it is
/// `optional`.
pub type Field<R, K = presence::Required> = <K as presence::Kind>::Of<R>;

/// Declares structs of named fields of one type `R`, for the state and the scalars of a rule.
///
/// ```
/// # use burn_descent_rules::burn_descent;
/// burn_descent::rules::fields! {
///     /// Moments of the gradient.
///     pub struct Moments {
///         /// Average of the gradient.
///         m,
///         /// Greatest square so far, if the rule wants it: an `Option<R>`.
///         v_max: optional,
///         /// One number for each row: see `Domain`.
///         row: Row,
///         /// Average of the square, which is never less than 0.
///         v: positive,
///     }
///     /// A second moment in one of two forms.
///     pub struct Second {
///         row: optional Row,
///         /// There where `row` is: one choice for both.
///         column: together Column,
///         /// There where `row` is not.
///         v: instead,
///     }
/// }
/// use burn_descent::rules::Fields;
/// let moments = Moments { m: 1.0, v_max: None, row: 2.0, v: 3.0 };
/// assert_eq!(moments.lanes(), [("m", 1.0), ("row", 2.0), ("v", 3.0)]);
/// let whole = Second { row: None, column: None, v: Some(3.0) };
/// assert_eq!(whole.lanes(), [("v", 3.0)]);
/// ```
#[macro_export]
macro_rules! fields {
    ($(
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $($(#[$field_doc:meta])* $field:ident $(: $word:ident $($domain:ident)?)?),* $(,)?
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs)]
        $vis struct $name<R> {
            $($(#[$field_doc])* pub $field: $crate::Field<R $(, $crate::presence::$word)?>,)*
        }

        impl<R: Copy> $crate::Fields<R> for $name<R> {
            type Forms = $crate::fields!(@forms $($($word $($domain)?)?)*);

            const COARSE: bool =
                $($crate::fields!(@coarse $($word $($domain)?)?) ||)* false;

            #[allow(unused_assignments, unused_mut, unused_variables)]
            const LINES: u32 = {
                let (mut bits, mut choice) = (0, 0);
                $($crate::fields!(@line bits, choice, $($word $($domain)?)?);)*
                bits
            };

            #[inline(always)]
            #[allow(unused_assignments, unused_mut, unused_variables)]
            fn read<P: $crate::Presence>(mut lane: impl FnMut(usize) -> R) -> Self {
                let (mut next, mut choice) = (0, 0);
                $(let $field = $crate::fields!(
                    @read P, lane, next, choice, $($word $($domain)?)?
                );)*
                Self { $($field),* }
            }

            #[inline(always)]
            #[allow(unused_assignments, unused_mut, unused_variables)]
            fn write<P: $crate::Presence>(
                self,
                mut lane: impl FnMut(usize, &'static str, R),
            ) {
                let (mut next, mut choice) = (0, 0);
                $($crate::fields!(
                    @write P, lane, next, choice, self.$field, stringify!($field),
                    $($word $($domain)?)?
                );)*
            }

            #[allow(unused_assignments, unused_mut, unused_variables)]
            fn presence(&self) -> u32 {
                let (mut bits, mut choice) = (0, 0);
                $($crate::fields!(
                    @presence bits, choice, self.$field, $($word $($domain)?)?
                );)*
                bits
            }

            #[allow(unused_assignments, unused_mut, unused_variables)]
            fn domains<P: $crate::Presence>(
                mut lane: impl FnMut(usize, $crate::Domain, bool),
            ) {
                let (mut next, mut choice) = (0, 0);
                $($crate::fields!(@domain P, lane, next, choice, $($word $($domain)?)?);)*
            }
        }
    )+};

    (@forms) => { $crate::Fixed };
    (@forms together $($rest:ident)*) => { $crate::fields!(@forms $($rest)*) };
    (@forms instead $($rest:ident)*) => { $crate::fields!(@forms $($rest)*) };
    (@forms optional $($rest:ident)*) => { $crate::Optional<$crate::fields!(@forms $($rest)*)> };
    (@forms $domain:ident $($rest:ident)*) => { $crate::fields!(@forms $($rest)*) };

    (@coarse) => { false };
    (@coarse optional) => { false };
    (@coarse together) => { false };
    (@coarse instead) => { false };
    (@coarse $(optional)? Element) => { false };
    (@coarse together Element) => { false };
    (@coarse instead Element) => { false };
    (@coarse $(optional)? positive) => { false };
    (@coarse together positive) => { false };
    (@coarse instead positive) => { false };
    (@coarse $($word:ident)*) => { true };
    (@line $bits:ident, $choice:ident, optional $($domain:ident)?) => {
        $choice += 1;
        $crate::fields!(@line_if $bits, 1 << ($choice - 1), $($domain)?);
    };
    (@line $bits:ident, $choice:ident, together $($domain:ident)?) => {
        $crate::fields!(@line_if $bits, 1 << ($choice - 1), $($domain)?);
    };
    // There where another is not: counted as always there, which compiles a pass too many at worst.
    (@line $bits:ident, $choice:ident, instead $($domain:ident)?) => {
        $crate::fields!(@line_if $bits, $crate::ALWAYS, $($domain)?);
    };
    (@line $bits:ident, $choice:ident, $($domain:ident)?) => {
        $crate::fields!(@line_if $bits, $crate::ALWAYS, $($domain)?);
    };
    (@line_if $bits:ident, $here:expr, Row) => { $bits |= $here; };
    (@line_if $bits:ident, $here:expr, Column) => { $bits |= $here; };
    (@line_if $bits:ident, $here:expr, $($domain:ident)?) => {};

    (@of) => { $crate::Domain::Element };
    (@of positive) => { $crate::Domain::Element };
    (@of $domain:ident) => { $crate::Domain::$domain };

    (@positive positive) => { true };
    (@positive $($domain:ident)?) => { false };

    // Is the field there? What is `together` or `instead` follows the last choice that was made.
    (@here $p:ident, $choice:ident, optional) => {{
        $choice += 1;
        $p::has($choice - 1)
    }};
    (@here $p:ident, $choice:ident, together) => { $p::has($choice - 1) };
    (@here $p:ident, $choice:ident, instead) => { !$p::has($choice - 1) };

    (@read $p:ident, $lane:ident, $next:ident, $choice:ident, optional $($domain:ident)?) => {
        $crate::fields!(@read_if $p, $lane, $next, $choice, optional)
    };
    (@read $p:ident, $lane:ident, $next:ident, $choice:ident, together $($domain:ident)?) => {
        $crate::fields!(@read_if $p, $lane, $next, $choice, together)
    };
    (@read $p:ident, $lane:ident, $next:ident, $choice:ident, instead $($domain:ident)?) => {
        $crate::fields!(@read_if $p, $lane, $next, $choice, instead)
    };
    (@read_if $p:ident, $lane:ident, $next:ident, $choice:ident, $word:ident) => {
        if $crate::fields!(@here $p, $choice, $word) {
            let value = $lane($next);
            $next += 1;
            Some(value)
        } else {
            None
        }
    };
    (@read $p:ident, $lane:ident, $next:ident, $choice:ident, $($domain:ident)?) => {{
        let value = $lane($next);
        $next += 1;
        value
    }};

    (
        @write $p:ident, $lane:ident, $next:ident, $choice:ident, $value:expr, $name:expr,
        optional $($domain:ident)?
    ) => { $crate::fields!(@write_if $p, $lane, $next, $choice, $value, $name, optional); };
    (
        @write $p:ident, $lane:ident, $next:ident, $choice:ident, $value:expr, $name:expr,
        together $($domain:ident)?
    ) => { $crate::fields!(@write_if $p, $lane, $next, $choice, $value, $name, together); };
    (
        @write $p:ident, $lane:ident, $next:ident, $choice:ident, $value:expr, $name:expr,
        instead $($domain:ident)?
    ) => { $crate::fields!(@write_if $p, $lane, $next, $choice, $value, $name, instead); };
    (
        @write_if $p:ident, $lane:ident, $next:ident, $choice:ident, $value:expr, $name:expr,
        $word:ident
    ) => {
        if $crate::fields!(@here $p, $choice, $word) {
            if let Some(value) = $value {
                $lane($next, $name, value);
            }
            $next += 1;
        }
    };
    (
        @write $p:ident, $lane:ident, $next:ident, $choice:ident, $value:expr, $name:expr,
        $($domain:ident)?
    ) => {
        $lane($next, $name, $value);
        $next += 1;
    };

    (@presence $bits:ident, $choice:ident, $value:expr, optional $($domain:ident)?) => {
        $bits |= ($value.is_some() as u32) << $choice;
        $choice += 1;
    };
    (@presence $bits:ident, $choice:ident, $value:expr, $($word:ident)*) => {};

    (@domain $p:ident, $lane:ident, $next:ident, $choice:ident, optional $($domain:ident)?) => {
        $crate::fields!(@domain_if $p, $lane, $next, $choice, optional, $($domain)?);
    };
    (@domain $p:ident, $lane:ident, $next:ident, $choice:ident, together $($domain:ident)?) => {
        $crate::fields!(@domain_if $p, $lane, $next, $choice, together, $($domain)?);
    };
    (@domain $p:ident, $lane:ident, $next:ident, $choice:ident, instead $($domain:ident)?) => {
        $crate::fields!(@domain_if $p, $lane, $next, $choice, instead, $($domain)?);
    };
    (
        @domain_if $p:ident, $lane:ident, $next:ident, $choice:ident, $word:ident,
        $($domain:ident)?
    ) => {
        if $crate::fields!(@here $p, $choice, $word) {
            $lane(
                $next,
                $crate::fields!(@of $($domain)?),
                $crate::fields!(@positive $($domain)?),
            );
            $next += 1;
        }
    };
    (@domain $p:ident, $lane:ident, $next:ident, $choice:ident, $($domain:ident)?) => {
        $lane(
            $next,
            $crate::fields!(@of $($domain)?),
            $crate::fields!(@positive $($domain)?),
        );
        $next += 1;
    };
}

/// No field: the state of a rule that remembers nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Empty<R>(core::marker::PhantomData<R>);

impl<R> Empty<R> {
    /// No field.
    pub fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<R> Default for Empty<R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R: Copy> Fields<R> for Empty<R> {
    type Forms = Fixed;
    #[inline(always)]
    fn read<P: Presence>(_lane: impl FnMut(usize) -> R) -> Self {
        Self::new()
    }
    #[inline(always)]
    fn write<P: Presence>(self, _lane: impl FnMut(usize, &'static str, R)) {}
    fn presence(&self) -> u32 {
        0
    }
    fn domains<P: Presence>(_lane: impl FnMut(usize, Domain, bool)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fields! {
        struct Some3 { a: optional, b: Tensor, c: optional Row }
        struct OneChoice { a: optional Row, b, c: together Column, d: instead, e: optional }
    }

    #[test]
    fn one_choice_is_for_several_fields() {
        fn lanes<P: Presence>() -> Vec<(usize, Domain)> {
            let mut list = Vec::new();
            <OneChoice<()> as Fields<()>>::domains::<P>(|lane, domain, _| {
                list.push((lane, domain))
            });
            let mut read = 0;
            OneChoice::read::<P>(|_| read += 1);
            assert_eq!(read, list.len());
            list
        }
        use Domain::*;
        assert_eq!(lanes::<Without<With<Nothing>>>(), [(0, Row), (1, Element), (2, Column)]);
        assert_eq!(lanes::<With<Without<Nothing>>>(), [(0, Element), (1, Element), (2, Element)]);
        let without = OneChoice { a: None, b: 1, c: None, d: Some(2), e: Some(3) };
        assert_eq!(without.presence(), 0b10);
        assert_eq!(without.lanes(), [("b", 1), ("d", 2), ("e", 3)]);
        let with = OneChoice { a: Some(1), b: 2, c: Some(3), d: None, e: None };
        assert_eq!(with.presence(), 0b01);
        assert_eq!(with.lanes(), [("a", 1), ("b", 2), ("c", 3)]);
    }

    #[test]
    fn a_positive_field_is_one_of_the_element() {
        fields! { struct Moments { m, v: positive, w: optional positive, r: Row } }
        let mut found = Vec::new();
        <Moments<()> as Fields<()>>::domains::<With<Nothing>>(|_, of, positive| {
            found.push((of, positive));
        });
        use Domain::{Element, Row};
        assert_eq!(found, [(Element, false), (Element, true), (Element, true), (Row, false)]);
    }

    #[test]
    fn every_form_reads_back_what_it_wrote() {
        for (a, c) in [(None, None), (Some(1), None), (None, Some(3)), (Some(1), Some(3))] {
            let given = Some3 { a, b: 2, c };
            struct Again(Vec<(&'static str, i32)>);
            impl Visitor for Again {
                type Output = Some3<i32>;
                fn visit<P: Presence>(self) -> Some3<i32> {
                    Some3::read::<P>(|lane| self.0[lane].1)
                }
            }
            let lanes = given.lanes();
            let expected = [a.map(|a| ("a", a)), Some(("b", 2)), c.map(|c| ("c", c))];
            assert_eq!(lanes, expected.into_iter().flatten().collect::<Vec<_>>());
            let again = <Some3<i32> as Fields<i32>>::Forms::choose::<Nothing, _>(
                given.presence(),
                Again(lanes),
            );
            assert_eq!(again, given);
        }
    }

    #[test]
    fn a_field_has_its_domain() {
        fn domains<P: Presence>() -> Vec<(usize, Domain)> {
            let mut list = Vec::new();
            <Some3<()> as Fields<()>>::domains::<P>(|lane, domain, _| list.push((lane, domain)));
            list
        }
        assert_eq!(
            domains::<Without<With<Nothing>>>(),
            [(0, Domain::Element), (1, Domain::Tensor)]
        );
        assert_eq!(domains::<With<Without<Nothing>>>(), [(0, Domain::Tensor), (1, Domain::Row)]);
        fields! { struct Plain { a, b: optional, c: Element, d: optional Element } }
        fields! { struct Whole { a, b: optional Tensor } }
        fields! { struct Rows { a, r: Row, c: optional Column } }
        const fn lines<F: Fields<()>>() -> (bool, u32) {
            (F::COARSE, F::LINES)
        }
        assert_eq!(lines::<Some3<()>>(), (true, 0b10));
        assert_eq!(lines::<OneChoice<()>>(), (true, 0b1));
        assert_eq!(lines::<Rows<()>>(), (true, ALWAYS | 0b1));
        assert_eq!(lines::<Whole<()>>(), (true, 0));
        assert_eq!(lines::<Plain<()>>(), (false, 0));
    }
}
