//! Steps of many tensors, those of one rule with the same scalars together.

use super::extension::{Kernels, Member, step};
use super::leaf::{put_back, take_out};
use crate::dispatch::place;
use crate::scalars::Scalars;
use burn::backend::{DispatchTensor, TensorMetadata};
use std::sync::Arc;

/// The step of a tensor, which waits for others.
pub(crate) struct Waiting<'a> {
    pub(crate) kernels: &'a Kernels,
    pub(crate) scalars: &'a Scalars,
    /// There before the step, and after it.
    pub(crate) parameter: &'a mut Option<DispatchTensor>,
    pub(crate) gradient: DispatchTensor,
    pub(crate) states: &'a mut Vec<DispatchTensor>,
}

/// Kinds of steps that are looked through for one that is as the next step; there are few, as a rule.
const LOOKED_AT: usize = 8;

/// Takes all of them.
pub(crate) fn step_together<'a>(steps: impl Iterator<Item = Waiting<'a>>) {
    let mut kinds: Vec<Vec<Waiting<'_>>> = Vec::new();
    for waiting in steps {
        let mut known = kinds.iter_mut().rev().take(LOOKED_AT);
        match known.find(|kind| kind[0].is_as(&waiting)) {
            Some(kind) => kind.push(waiting),
            None => kinds.push(vec![waiting]),
        }
    }
    for kind in kinds {
        match (kind[0].kernels, kind[0].scalars) {
            (Kernels::Whole(kernels), scalars) => {
                kernels.step(scalars, kind.into_iter().map(Waiting::member).collect());
            }
            (Kernels::Passes(_), _) => kind.into_iter().for_each(Waiting::step),
        }
    }
}

impl<'a> Waiting<'a> {
    /// Do two steps differ in their tensors alone?
    fn is_as(&self, other: &Self) -> bool {
        let (Some(here), Some(there)) = (&*self.parameter, &*other.parameter) else { return false };
        core::ptr::eq(self.kernels, other.kernels)
            && self.scalars.are(other.scalars)
            && here.dtype() == there.dtype()
            && place(here) == place(there)
    }

    fn member(self) -> Member<'a> {
        let Self { parameter, gradient, states, .. } = self;
        Member { parameter, gradient, states }
    }

    fn step(self) {
        let Self { kernels, scalars, parameter, gradient, states } = self;
        if let Some(before) = take_out(parameter, &gradient) {
            put_back(parameter, step(kernels, scalars.clone(), before, gradient, states));
        }
    }
}

impl Scalars {
    /// Are these the same scalars? Those on a device are, where they lie in the same place. Each tensor has random numbers of
    /// its own.
    fn are(&self, other: &Self) -> bool {
        let numbers = || {
            let mut pairs = self.numbers.iter().zip(&*other.numbers);
            self.numbers.len() == other.numbers.len()
                && pairs.all(|(a, b)| a.to_bits() == b.to_bits())
        };
        let mut on_device = self.on_device.iter().zip(&other.on_device);
        (Arc::ptr_eq(&self.numbers, &other.numbers) || numbers())
            && self.draw.is_none()
            && other.draw.is_none()
            && self.on_device.len() == other.on_device.len()
            && on_device.all(|((a, x), (b, y))| a == b && Arc::ptr_eq(x, y))
    }
}
