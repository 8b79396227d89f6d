//! Steps of many tensors at once, cut into pieces that the threads share out among them.

use super::split::{Part, Stored, TASK, rest_of_scalars};
use super::{Take, lay};
use crate::program::Program;
use burn::backend::DispatchTensor;
use std::sync::Arc;

/// A piece of a step.
pub(crate) type Piece<'a> = Box<dyn FnOnce() + Send + 'a>;

/// Cuts the step of one tensor into pieces, which take it when they are called, in any order.
pub(crate) fn cut<'a>(
    program: &'a Program,
    parameter: &'a mut DispatchTensor,
    gradient: &'a mut DispatchTensor,
    states: &'a mut [DispatchTensor],
    scalars: &Arc<[f64]>,
    pieces: &mut Vec<Piece<'a>>,
) {
    lay(parameter, gradient, states, Cut { program, scalars, pieces });
}

struct Cut<'a, 'p> {
    program: &'a Program,
    scalars: &'p Arc<[f64]>,
    pieces: &'p mut Vec<Piece<'a>>,
}

impl<'a> Take<'a> for Cut<'a, '_> {
    fn take<T: Stored>(self, part: Part<'a, T>) {
        let Self { program, scalars, pieces } = self;
        let update = T::passes(program).update;
        let scalars = rest_of_scalars(program, &part, scalars).map_or(scalars.clone(), Arc::from);
        let mut rest = part;
        while rest.len() > 0 {
            let here;
            let task = rest.len().min(TASK);
            (here, rest) = rest.split_at(task);
            let scalars = scalars.clone();
            pieces.push(Box::new(move || {
                let Part { p, g, states, first } = here;
                T::update(update, p, g, states, &scalars, first);
            }));
        }
    }
}
