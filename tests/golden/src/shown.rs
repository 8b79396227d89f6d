//! What an engine here sees of the tensors of a library.

use crate::{Setting, Step};

/// How an engine is shown the tensors of a case.
pub(crate) struct Shown<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) shapes: &'a [Vec<usize>],
}

impl Shown<'_> {
    fn is_turned(&self, tensor: usize) -> bool {
        self.setting.inputs_first && self.shapes[tensor].len() == 2
    }

    /// Their shapes as an engine sees them.
    pub(crate) fn shapes(&self) -> Vec<Vec<usize>> {
        let shape = |(tensor, shape): (usize, &Vec<usize>)| match self.setting.aside.get(tensor) {
            Some(true) => vec![shape.iter().product()],
            _ if self.is_turned(tensor) => vec![shape[1], shape[0]],
            _ => shape.clone(),
        };
        self.shapes.iter().enumerate().map(shape).collect()
    }

    /// Tensors as an engine sees them.
    pub(crate) fn step(&self, of_library: &Step) -> Step {
        let shown = |(tensor, numbers): (usize, &Vec<f64>)| match self.is_turned(tensor) {
            true => turned(numbers, self.shapes[tensor][1]),
            false => numbers.clone(),
        };
        of_library.iter().enumerate().map(shown).collect()
    }

    /// Tensors as the library sees them.
    pub(crate) fn back(&self, mut ours: Step) -> Step {
        for (tensor, numbers) in ours.iter_mut().enumerate().take(self.shapes.len()) {
            if self.is_turned(tensor) {
                *numbers = turned(numbers, self.shapes[tensor][0]);
            }
        }
        ours
    }
}

/// A matrix with so many columns, column after column.
fn turned(numbers: &[f64], columns: usize) -> Vec<f64> {
    let column = |first: usize| numbers.iter().skip(first).step_by(columns).copied();
    (0..columns).flat_map(column).collect()
}
