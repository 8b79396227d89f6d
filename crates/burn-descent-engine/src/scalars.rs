//! The scalars of one step.

#[cfg(feature = "cube")]
use crate::state::compute_dtype;
use crate::state::tensor;
use burn::backend::DispatchTensor;
#[cfg(feature = "cube")]
use burn::backend::TensorMetadata;
use std::sync::Arc;

/// The scalars of one step of one tensor, lane by lane: numbers, but for those that only the device
/// knows yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scalars {
    /// Those that are numbers.
    pub(crate) numbers: Arc<[f64]>,
    /// Lane and tensor, of one element, of those that lie on a device; lanes ascend.
    pub(crate) on_device: Vec<(usize, DispatchTensor)>,
    /// The words that noise follows from, if the rule has some. They are among the numbers too.
    pub(crate) key: Option<[u32; 3]>,
}

impl Scalars {
    /// All of them as numbers. Waits for the device of those that are not.
    pub(crate) fn read(&self) -> Arc<[f64]> {
        if self.on_device.is_empty() {
            return self.numbers.clone();
        }
        let mut numbers = self.numbers.to_vec();
        for (lane, scalar) in &self.on_device {
            numbers.insert(*lane, crate::reading::read(tensor(scalar)));
        }
        numbers.into()
    }

    /// All of them where a parameter is, in the precision that it is computed in.
    #[cfg(feature = "cube")]
    pub(crate) fn beside(mut self, parameter: &DispatchTensor) -> Self {
        let dtype = compute_dtype(parameter.dtype());
        for (_, scalar) in &mut self.on_device {
            if scalar.dtype() != dtype || scalar.kind.device() != parameter.kind.device() {
                let device = tensor(parameter).device();
                *scalar = tensor(scalar).to_device(&device).cast(dtype).into_dispatch();
            }
        }
        self
    }

    /// These, then a number, then a tensor of one element.
    #[cfg(feature = "cube")]
    pub(crate) fn then(&self, number: f64, on_device: DispatchTensor) -> Self {
        let mut scalars = self.clone();
        scalars.numbers = [&self.numbers[..], &[number]].concat().into();
        let lane = scalars.numbers.len() + scalars.on_device.len();
        scalars.on_device.push((lane, on_device));
        scalars
    }
}
