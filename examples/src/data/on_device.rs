//! Examples on a device, batch by batch.

use super::Examples;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::ops::Range;

/// Some examples.
#[derive(Clone, Debug)]
pub struct Batch {
    /// One row an example.
    pub inputs: Tensor<2>,
    /// One row an example.
    pub targets: Tensor<2>,
}

impl Batch {
    /// How many examples they are.
    pub fn len(&self) -> usize {
        self.inputs.dims()[0]
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same done to inputs and targets.
    fn map(&self, f: impl Fn(Tensor<2>) -> Tensor<2>) -> Self {
        Self { inputs: f(self.inputs.clone()), targets: f(self.targets.clone()) }
    }
}

/// Examples on a device, to take batches of.
#[derive(Clone, Debug)]
pub struct OnDevice {
    all: Batch,
    device: Device,
}

impl OnDevice {
    /// Moves examples to a device.
    pub fn new(examples: &Examples, device: &Device) -> Self {
        let (inputs, targets) = (examples.inputs.tensor(device), examples.targets.tensor(device));
        Self { all: Batch { inputs, targets }, device: device.clone() }
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The same on another device.
    pub fn to_device(&self, device: &Device) -> Self {
        Self { all: self.all.map(|all| all.to_device(device)), device: device.clone() }
    }

    /// Some of them.
    pub fn slice(&self, rows: Range<usize>) -> Self {
        Self { all: self.all.map(|all| all.slice(rows.clone())), device: self.device.clone() }
    }

    /// The examples of these row numbers in this order, `size` at a time; the last batch may be
    /// smaller.
    pub fn batches(&self, order: &[usize], size: usize) -> impl Iterator<Item = Batch> + use<'_> {
        let n = order.len();
        let order: Vec<i32> = order.iter().map(|row| *row as i32).collect();
        let order = Tensor::<1, Int>::from_data(TensorData::new(order, [n]), &self.device);
        (0..n).step_by(size).map(move |start| {
            let rows = order.clone().slice(start..(start + size).min(n));
            self.all.map(|all| all.select(0, rows.clone()))
        })
    }
}
