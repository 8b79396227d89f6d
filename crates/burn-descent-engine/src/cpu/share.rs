//! Work that the threads share out among them: sums over a tensor, and steps of one or of many.

use super::pass::Pass;
use super::stored::{Part, Stored, rest_of_scalars};
use super::{Take, lay};
use crate::program::Program;
use burn::backend::DispatchTensor;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::borrow::Cow;
use std::sync::Mutex;

/// Elements that a thread takes at a time: so many that taking them is no work beside them.
const PIECE: usize = 1 << 14;

/// Elements that it takes at the end of a tensor: so few that no thread waits long for another.
const LAST_PIECE: usize = 1 << 11;

/// Elements up to which waking other threads takes longer than they would save.
const ALONE: usize = 1 << 17;

/// Is so much work for more than one thread? The bits do not depend on it.
pub(super) fn is_shared(elements: usize) -> bool {
    elements > ALONE && rayon::current_num_threads() > 1
}

/// Work that any number of threads may do together, each of them by calling [`work`](Self::work).
pub(crate) trait Work: Sync {
    /// Takes one piece after another until there is none.
    fn work(&self);
}

/// Has this thread and, if it is so much, others of the current rayon pool do all work on this many
/// elements. (A thread that is none of the pool's works too, where `join` would leave it to wait until
/// one of them is awake.)
pub(crate) fn share(elements: usize, work: impl Fn() + Sync) {
    if !is_shared(elements) {
        return work();
    }
    let threads = rayon::current_num_threads().min(elements.div_ceil(PIECE));
    rayon::in_place_scope(|scope| {
        (1..threads).for_each(|_| scope.spawn(|_| work()));
        work();
    });
}

/// A sum over this many elements, each piece of them summed by one thread: the same bits for any
/// number of threads.
pub(super) fn sum_pieces(elements: usize, sum: impl Fn(Range<usize>) -> f64 + Sync) -> f64 {
    let count = elements.div_ceil(PIECE);
    let piece = |number: usize| sum(number * PIECE..elements.min((number + 1) * PIECE));
    if !is_shared(elements) {
        return (0..count).map(piece).sum();
    }
    let (next, sums) = (AtomicUsize::new(0), Mutex::new(vec![0.0; count]));
    share(elements, || {
        let numbers = core::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        for number in numbers.take_while(|number| *number < count) {
            let sum = piece(number);
            sums.lock().expect(UNBROKEN)[number] = sum;
        }
    });
    sums.into_inner().expect(UNBROKEN).iter().sum()
}

const UNBROKEN: &str = "nothing panics while it is held";

/// One step of one tensor.
pub(super) struct Step<'a, T: Stored> {
    update: Pass<T::Compute>,
    scalars: Cow<'a, [f64]>,
    rest: Mutex<Option<Part<'a, T>>>,
}

impl<'a, T: Stored> Step<'a, T> {
    pub(super) fn new(program: &Program, part: Part<'a, T>, scalars: &'a [f64]) -> Self {
        let scalars = rest_of_scalars(program, &part, scalars).map_or(scalars.into(), Cow::from);
        Self { update: T::passes(program).update, scalars, rest: Mutex::new(Some(part)) }
    }

    fn piece(&self) -> Option<Part<'a, T>> {
        let mut rest = self.rest.lock().expect(UNBROKEN);
        let part = rest.take()?;
        let share = part.len() / (2 * rayon::current_num_threads());
        let size = share.next_multiple_of(LAST_PIECE).clamp(LAST_PIECE, PIECE);
        if part.len() <= size {
            return Some(part);
        }
        let (piece, after) = part.split_at(size);
        *rest = Some(after);
        Some(piece)
    }
}

impl<T: Stored> Work for Step<'_, T> {
    fn work(&self) {
        while let Some(Part { p, g, states, first }) = self.piece() {
            T::update(self.update, p, g, states, &self.scalars, first);
        }
    }
}

/// The step of one tensor, to be taken later.
pub(crate) fn put_off<'a>(
    program: &'a Program,
    parameter: &'a mut DispatchTensor,
    gradient: &'a mut DispatchTensor,
    states: &'a mut [DispatchTensor],
    scalars: &'a [f64],
) -> Box<dyn Work + 'a> {
    lay(parameter, gradient, states, Later { program, scalars })
}

struct Later<'a> {
    program: &'a Program,
    scalars: &'a [f64],
}

impl<'a> Take<'a> for Later<'a> {
    type Output = Box<dyn Work + 'a>;

    fn take<T: Stored>(self, part: Part<'a, T>) -> Self::Output {
        Box::new(Step::new(self.program, part, self.scalars))
    }
}
