//! The scalars of one step.

#[cfg(feature = "cube")]
use crate::dispatch::place;
use crate::matrices::Asked;
#[cfg(feature = "cube")]
use crate::state::compute_dtype;
use crate::state::tensor;
use crate::store::Keeping;
use burn::backend::DispatchTensor;
#[cfg(feature = "cube")]
use burn::backend::TensorMetadata;
use burn_descent_rules::View;
use burn_descent_rules::noise::Draw;
use std::sync::Arc;

/// The scalars of one step of one tensor, lane by lane: numbers, but for those that only the device
/// knows yet.
#[derive(Clone, Debug)]
pub(crate) struct Scalars {
    /// How the rule sees the tensor: as one line where it knows no row and no column.
    pub(crate) view: View,
    /// Those that are numbers.
    pub(crate) numbers: Arc<[f64]>,
    /// Lane and tensor, of one element, of those that lie on a device; lanes ascend.
    pub(crate) on_device: Vec<(usize, Arc<DispatchTensor>)>,
    /// The random numbers of this step, if the rule draws some.
    pub(crate) draw: Option<Draw>,
    /// The rule itself, where it makes something of whole matrices.
    pub(crate) asked: Option<Asked>,
    /// How the parameter and its states are kept, where they are not as they are computed.
    pub(crate) keeping: Option<Arc<Keeping>>,
}

impl Scalars {
    /// All of them as numbers. Waits for the device of those that are not.
    pub(crate) fn read(mut self) -> Self {
        if !self.on_device.is_empty() {
            let mut numbers = self.numbers.to_vec();
            for (lane, scalar) in self.on_device.drain(..) {
                numbers.insert(lane, crate::reading::read(tensor(&scalar)));
            }
            self.numbers = numbers.into();
        }
        self
    }

    /// All of them where a parameter is, in the precision that it is computed in.
    #[cfg(feature = "cube")]
    pub(crate) fn beside(mut self, parameter: &DispatchTensor) -> Self {
        let dtype = compute_dtype(parameter.dtype());
        for (_, scalar) in &mut self.on_device {
            if scalar.dtype() != dtype || place(scalar) != place(parameter) {
                let device = tensor(parameter).device().without_autodiff();
                *scalar = Arc::new(tensor(scalar).to_device(&device).cast(dtype).into_dispatch());
            }
        }
        self
    }

    /// No scalars.
    #[cfg(feature = "cube")]
    pub(crate) fn none() -> Self {
        Self {
            view: View::vector(0),
            numbers: Arc::default(),
            on_device: Vec::new(),
            draw: None,
            asked: None,
            keeping: None,
        }
    }

    /// How many there are.
    #[cfg(feature = "cube")]
    pub(crate) fn len(&self) -> usize {
        self.numbers.len() + self.on_device.len()
    }
}
