//! One pass over slices.

#![allow(deprecated)] // burn prefers `flex` to `ndarray`

mod around;
mod collect;
mod deep;
#[cfg(feature = "flex")]
mod flex;
mod leaf;
#[cfg(feature = "ndarray")]
mod ndarray;
mod pass;
mod reduce;
mod run;
mod share;
mod stored;
mod two;
mod widened;
mod window;

pub(crate) use leaf::{has_passes, holds, is_alone};
pub(crate) use pass::AllPasses;
pub(crate) use reduce::{sum_products, sum_squares};
pub(crate) use share::{put_off, share};

use crate::code::Code;
use crate::scalars::Scalars;
use crate::store::Keeping;
use burn::backend::DispatchTensor;
use leaf::{InPlace, in_place};
use stored::{Part, Stored, step};

/// One step of a tensor of this engine: it and its states are updated in place, where nobody else
/// holds them.
pub(crate) fn update(
    code: &Code,
    parameter: &mut DispatchTensor,
    gradient: &mut DispatchTensor,
    states: &mut [DispatchTensor],
    scalars: &Scalars,
) {
    lay(parameter, gradient, states, scalars.keeping.as_deref(), Now { code, scalars });
}

struct Now<'p> {
    code: &'p Code,
    scalars: &'p Scalars,
}

impl<'a> Take<'a> for Now<'_> {
    type Output = ();

    fn take<T: Stored>(self, part: Part<'a, T>) {
        step(self.code, part, self.scalars);
    }
}

/// What is done with the slices of a step, whatever they hold.
trait Take<'a> {
    type Output;

    fn take<T: Stored>(self, part: Part<'a, T>) -> Self::Output;
}

/// Lays the slices of a step out. Those of the gradient are made one run first if they are not.
fn lay<'a, K: Take<'a>>(
    parameter: &'a mut DispatchTensor,
    gradient: &'a mut DispatchTensor,
    states: &'a mut [DispatchTensor],
    keeping: Option<&Keeping>,
    take: K,
) -> K::Output {
    match (in_place(parameter), in_place(gradient)) {
        #[cfg(feature = "flex")]
        (Some(InPlace::Flex(parameter)), Some(InPlace::Flex(gradient))) => {
            flex::lay(parameter, gradient, states, keeping, take)
        }
        #[cfg(feature = "ndarray")]
        (Some(InPlace::NdArray(parameter)), Some(InPlace::NdArray(gradient))) => {
            ndarray::lay(parameter, gradient, states, keeping, take)
        }
        _ => unreachable!("both are tensors of one backend of this engine"),
    }
}
