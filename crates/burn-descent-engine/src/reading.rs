//! A number that was measured.

use burn::tensor::Tensor;
use core::fmt;
use std::sync::OnceLock;

/// A number that was measured: on the host, or still on the device that measured it.
///
/// Taking one along costs nothing; [`get`](Self::get) waits, once, for the device to come so far.
#[derive(Clone)]
pub struct Reading {
    number: OnceLock<f64>,
    /// A tensor is up to half a kilobyte.
    on_device: Option<Box<Tensor<1>>>,
}

impl Reading {
    /// A number that lies in the one element of a tensor.
    pub(crate) fn on_device(tensor: Tensor<1>) -> Self {
        Self { number: OnceLock::new(), on_device: Some(Box::new(tensor)) }
    }

    /// The number. Waits for the device, the first time, if it lies there.
    pub fn get(&self) -> f64 {
        let on_device = || self.tensor().cloned().map_or(f64::NAN, read);
        *self.number.get_or_init(on_device)
    }

    /// The tensor of one element that it lies in, if it was measured on a device that computes by
    /// itself.
    pub fn tensor(&self) -> Option<&Tensor<1>> {
        self.on_device.as_deref()
    }

    /// Another number that follows from this one where it lies: by one function on the host or by
    /// the other, which must be the same one, on the device.
    pub fn map(
        &self,
        on_host: impl FnOnce(f64) -> f64,
        on_device: impl FnOnce(Tensor<1>) -> Tensor<1>,
    ) -> Self {
        match self.tensor() {
            Some(tensor) => Self::on_device(on_device(tensor.clone())),
            None => on_host(self.get()).into(),
        }
    }

    /// This number times a factor, where it lies. Times 1 costs nothing.
    pub fn times(&self, factor: f64) -> Self {
        if factor == 1.0 {
            return self.clone();
        }
        self.map(|number| number * factor, |number| number.mul_scalar(factor))
    }
}

impl From<f64> for Reading {
    fn from(number: f64) -> Self {
        Self { number: number.into(), on_device: None }
    }
}

/// The one element of a tensor, without its graph.
impl From<Tensor<1>> for Reading {
    fn from(tensor: Tensor<1>) -> Self {
        Self::on_device(if tensor.is_autodiff() { tensor.inner() } else { tensor })
    }
}

impl Default for Reading {
    fn default() -> Self {
        0.0.into()
    }
}

impl fmt::Debug for Reading {
    /// Does not wait.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number.get() {
            Some(number) => number.fmt(f),
            None => f.write_str("on the device"),
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl PartialEq<f64> for Reading {
    fn eq(&self, other: &f64) -> bool {
        self.get() == *other
    }
}

impl PartialOrd<f64> for Reading {
    fn partial_cmp(&self, other: &f64) -> Option<core::cmp::Ordering> {
        self.get().partial_cmp(other)
    }
}

/// The one element of a tensor.
pub(crate) fn read(tensor: Tensor<1>) -> f64 {
    tensor.into_data().iter::<f64>().next().unwrap_or(f64::NAN)
}
