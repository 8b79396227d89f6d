//! The slices of a step, over any type that parameters are stored in.

use super::around::around;
use super::collect::{Collect, Collected, Tile, Wanted};
pub(super) use super::pass::States as Slices;
use super::pass::{Given, Pass, Passes};
use super::share::{Step, Work, is_shared, share};
use super::widened::{by_chunks, collect_widened};
use crate::MAX_LANES;
use crate::code::Code;
use crate::grid::Grid;
use crate::scalars::Scalars;
use crate::store::{Codes, Dice, Keeping, WeightCoding};
use burn::backend::DispatchTensor;
use burn::tensor::{bf16, f16};
use burn_descent_rules::{Domain, MAX_SUMS, Real};
use core::ops::Range;

/// A type that parameters are stored in.
pub(crate) trait Stored: Copy + Send + Sync {
    /// The type that they are computed in and that their states are stored in.
    type Compute: Real + Into<f64> + Send + Sync + 'static;

    /// The passes of the rule for this type.
    fn passes(code: &Code) -> &Passes<Self::Compute>;

    /// The update on this thread.
    fn update(pass: Pass<Self::Compute>, part: Part<'_, Self>, given: &Given<'_, Self::Compute>);

    /// The sums over these lines and positions, on this thread.
    fn collect(
        collect: Collect<Self::Compute>,
        part: &Part<'_, Self>,
        at: (Range<usize>, Range<usize>),
        given: &Given<'_, Self::Compute>,
        wanted: &[Option<Wanted>; MAX_SUMS],
        to: &mut Collected,
    );
}

/// The slices of a step, or of a part of it; all are of one length, but for the states that the
/// rule does not have: they are empty.
pub(crate) struct Part<'a, T: Stored> {
    pub(crate) p: &'a mut [T],
    pub(crate) g: &'a [T],
    /// Empty where a state is kept in fewer bytes.
    pub(crate) states: Slices<'a, T::Compute>,
    pub(crate) coded: Coded<'a>,
    /// The place of the first element in its tensor.
    pub(crate) first: usize,
}

/// What is kept in fewer bytes than it is computed in, and how weights are kept.
#[derive(Default)]
pub(crate) struct Coded<'a> {
    /// The states, with the random bits by which they are rounded.
    pub(crate) states: [Option<(Codes<'a>, Dice)>; MAX_LANES],
    pub(crate) weights: WeightCoding<'a>,
}

impl Coded<'_> {
    /// Is there no state that is kept so?
    fn is_empty(&self) -> bool {
        self.states.iter().all(Option::is_none)
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        let (mut left, mut right) = (Self::default(), Self::default());
        for (lane, state) in self.states.into_iter().enumerate() {
            if let Some((codes, dice)) = state {
                let (before, after) = codes.split_at(middle);
                (left.states[lane], right.states[lane]) =
                    (Some((before, dice)), Some((after, dice)));
            }
        }
        (left.weights, right.weights) = self.weights.split_at(middle);
        (left, right)
    }
}

/// The states of so many elements, laid out: by `numbers` where they are as they are computed, by `words` where they are not.
pub(super) fn lanes<'a, T>(
    count: usize,
    tensors: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
    numbers: impl Fn(&'a mut DispatchTensor) -> &'a mut [T],
    words: impl Fn(&'a mut DispatchTensor) -> &'a mut [u32],
) -> (Slices<'a, T>, Coded<'a>) {
    let (mut states, mut coded) = (Slices::default(), Coded::default());
    let Some(keeping) = keeping else {
        states.iter_mut().zip(tensors).for_each(|(state, tensor)| *state = numbers(tensor));
        return (states, coded);
    };
    coded.weights = keeping.weight_coding(&mut [], 0);
    for (lane, tensor) in tensors.iter_mut().enumerate() {
        let coding = keeping.kept.state(lane);
        if lane == keeping.states {
            coded.weights = keeping.weight_coding(words(tensor), count);
        } else if coding.is_words() {
            let codes = Codes::of(coding, count, words(tensor));
            coded.states[lane] = codes.map(|codes| (codes, keeping.dice(lane)));
        } else {
            states[lane] = numbers(tensor);
        }
    }
    (states, coded)
}

impl<'a, T: Stored> Part<'a, T> {
    pub(super) fn len(&self) -> usize {
        self.p.len()
    }

    /// The part with those states only of which there is one number for each element.
    pub(super) fn of_elements(mut self, code: &Code) -> Self {
        for (state, domain) in self.states.iter_mut().zip(&code.stages.states) {
            if *domain != Domain::Element {
                *state = &mut [];
            }
        }
        self
    }

    /// What comes before an element, and the rest.
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        let (p_left, p_right) = self.p.split_at_mut(middle);
        let (g_left, g_right) = self.g.split_at(middle);
        let (states_left, states_right) = split_slices(self.states, middle);
        let (left, right) = self.coded.split_at(middle);
        let first = self.first + middle;
        (
            Self { p: p_left, g: g_left, states: states_left, coded: left, first: self.first },
            Self { p: p_right, g: g_right, states: states_right, coded: right, first },
        )
    }
}

/// One step: parameter and states are updated in place. Each element is computed on its own, and
/// sums over the same tiles in the same order, so the bits do not depend on the number of threads.
pub(super) fn step<T: Stored>(code: &Code, mut part: Part<T>, scalars: &Scalars) {
    if is_shared(part.len()) {
        let (elements, step) = (part.len(), Step::new(code, part, scalars));
        return share(elements, || step.work());
    }
    let around = around(code, &mut part, scalars);
    let given = given(scalars, around.as_ref());
    T::update(T::passes(code).update, part.of_elements(code), &given);
}

/// What is given to the pass over the elements.
pub(super) fn given<'a, T>(
    scalars: &'a Scalars,
    around: Option<&'a super::window::Around<T>>,
) -> Given<'a, T> {
    let grid = Grid::of(scalars.view, Domain::Element);
    Given { scalars: &scalars.numbers, draw: scalars.draw, grid, around }
}

/// All states cut at one place; those that the rule does not have stay empty.
pub(super) fn split_slices<T>(
    states: Slices<'_, T>,
    middle: usize,
) -> (Slices<'_, T>, Slices<'_, T>) {
    let (mut left, mut right) = (Slices::default(), Slices::default());
    for ((state, left), right) in states.into_iter().zip(&mut left).zip(&mut right) {
        (*left, *right) = state.split_at_mut(middle.min(state.len()));
    }
    (left, right)
}

macro_rules! impl_full {
    ($($t:ident: $update:expr, $collect:expr;)*) => {$(
        impl Stored for $t {
            type Compute = $t;
            fn passes(code: &Code) -> &Passes<$t> {
                &code.passes.$t
            }
            fn update(pass: Pass<$t>, part: Part<'_, $t>, given: &Given<'_, $t>) {
                if !part.coded.is_empty() {
                    return $update(pass, part, given);
                }
                pass(part.p, part.g, part.states, given, part.first);
            }
            fn collect(
                collect: Collect<$t>,
                part: &Part<'_, $t>,
                at: (Range<usize>, Range<usize>),
                given: &Given<'_, $t>,
                wanted: &[Option<Wanted>; MAX_SUMS],
                to: &mut Collected,
            ) {
                if !part.coded.is_empty() {
                    return $collect(collect, part, at, given, wanted, to);
                }
                let (lines, positions) = at;
                let (grid, origin) = (&given.grid, (lines.start, positions.start));
                let start = grid.line_in_memory(lines.start) * grid.length + positions.start;
                let pitch = grid.pitch();
                let (p, g) = (&part.p[start..], &part.g[start..]);
                let states = part.states.each_ref().map(|state| &**state);
                let tile = Tile { p, g, pitch, states, begin: 0, lines, positions, origin };
                collect(&tile, given, wanted, to);
            }
        }
    )*};
}

const IN_F64: &str = "states of parameters in f64 are kept as they are";

impl_full! {
    f32: by_chunks, collect_widened;
    f64: |_, _, _| unreachable!("{IN_F64}"), |_, _, _, _, _, _| unreachable!("{IN_F64}");
}

macro_rules! impl_half {
    ($($t:ident),*) => {$(
        impl Stored for $t {
            type Compute = f32;
            fn passes(code: &Code) -> &Passes<f32> {
                &code.passes.f32
            }
            fn update(pass: Pass<f32>, part: Part<'_, $t>, given: &Given<'_, f32>) {
                by_chunks(pass, part, given);
            }
            fn collect(
                collect: Collect<f32>,
                part: &Part<'_, $t>,
                at: (Range<usize>, Range<usize>),
                given: &Given<'_, f32>,
                wanted: &[Option<Wanted>; MAX_SUMS],
                to: &mut Collected,
            ) {
                collect_widened(collect, part, at, given, wanted, to);
            }
        }
    )*};
}
impl_half!(f16, bf16);
