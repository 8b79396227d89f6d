//! Work that the threads share out among them: sums over a tensor, and steps of one or of many.

use super::around::{around, begin, bring_forward, stage};
use super::pass::Pass;
use super::stored::{Part, Stored, given};
use super::window::Around;
use super::{Take, lay};
use crate::Reading;
use crate::code::Code;
use crate::joint::{Joint, of_model};
use crate::scalars::Scalars;
use burn::backend::DispatchTensor;
use burn_descent_rules::Real;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
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
pub(crate) trait Work: Joint + Sync {
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
    let piece = |number: usize| sum(number * PIECE..elements.min((number + 1) * PIECE));
    in_order(elements.div_ceil(PIECE), elements, piece).iter().sum()
}

/// What comes of each of `count` pieces of so many elements, in their order, whatever thread took it.
pub(super) fn in_order<T: Send>(
    count: usize,
    elements: usize,
    piece: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    if !is_shared(elements) {
        return (0..count).map(piece).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<T>>> = Mutex::new((0..count).map(|_| None).collect());
    share(elements, || {
        let numbers = core::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        for number in numbers.take_while(|number| *number < count) {
            let result = piece(number);
            done.lock().expect(UNBROKEN)[number] = Some(result);
        }
    });
    let done = done.into_inner().expect(UNBROKEN);
    done.into_iter().map(|result| result.expect("each piece has been taken")).collect()
}

const UNBROKEN: &str = "nothing panics while it is held";

/// One step of one tensor.
pub(super) struct Step<'a, T: Stored> {
    code: &'a Code,
    update: Pass<T::Compute>,
    scalars: &'a Scalars,
    around: Option<Around<T::Compute>>,
    rest: Mutex<Option<Part<'a, T>>>,
}

impl<'a, T: Stored> Step<'a, T> {
    /// The step, all that it sees beyond its elements known: what it sees of the model is this tensor.
    pub(super) fn new(code: &'a Code, mut part: Part<'a, T>, scalars: &'a Scalars) -> Self {
        let around = around(code, &mut part, scalars);
        let rest = Mutex::new(Some(part.of_elements(code)));
        Self { code, update: T::passes(code).update, scalars, around, rest }
    }

    /// The step, nothing known yet.
    fn joint(code: &'a Code, part: Part<'a, T>, scalars: &'a Scalars) -> Self {
        let rest = Mutex::new(Some(part));
        Self { code, update: T::passes(code).update, scalars, around: None, rest }
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

impl<T: Stored> Joint for Step<'_, T> {
    fn begin(&mut self, model: usize) {
        let part = self.rest.get_mut().expect(UNBROKEN).as_ref();
        self.around = part.and_then(|part| begin(self.code, part, self.scalars));
        if let Some(around) = &mut self.around {
            around.model = model;
        }
    }

    fn stage(&mut self, number: usize) -> Vec<Reading> {
        let Self { code, scalars, around, rest, .. } = self;
        match (around, rest.get_mut().expect(UNBROKEN)) {
            (Some(around), Some(part)) => {
                let sums = stage(code, part, scalars, number, around);
                sums.into_iter().map(Reading::from).collect()
            }
            _ => Vec::new(),
        }
    }

    fn learn(&mut self, number: usize, totals: &[Reading]) {
        let Some(around) = &mut self.around else { return };
        for (sum, total) in of_model(self.code, number).zip(totals) {
            around.known[sum.number].list = vec![T::Compute::lit(total.get())];
        }
    }

    fn end(&mut self) {
        let Self { code, scalars, around, rest, .. } = self;
        if let (Some(around), Some(part)) = (around, rest.get_mut().expect(UNBROKEN)) {
            bring_forward(code, part, scalars, around);
        }
        let rest = rest.get_mut().expect(UNBROKEN);
        *rest = rest.take().map(|part| part.of_elements(code));
    }
}

impl<T: Stored> Work for Step<'_, T> {
    fn work(&self) {
        let given = given(self.scalars, self.around.as_ref());
        while let Some(part) = self.piece() {
            T::update(self.update, part, &given);
        }
    }
}

/// The step of one tensor, to be taken later.
pub(crate) fn put_off<'a>(
    code: &'a Code,
    parameter: &'a mut DispatchTensor,
    gradient: &'a mut DispatchTensor,
    states: &'a mut [DispatchTensor],
    scalars: &'a Scalars,
) -> Box<dyn Work + 'a> {
    lay(parameter, gradient, states, scalars.keeping.as_deref(), Later { code, scalars })
}

struct Later<'a> {
    code: &'a Code,
    scalars: &'a Scalars,
}

impl<'a> Take<'a> for Later<'a> {
    type Output = Box<dyn Work + 'a>;

    fn take<T: Stored>(self, part: Part<'a, T>) -> Self::Output {
        let Self { code, scalars } = self;
        match code.stages.sees_model() {
            true => Box::new(Step::joint(code, part, scalars)),
            false => Box::new(Step::new(code, part, scalars)),
        }
    }
}
