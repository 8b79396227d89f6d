//! A number for each weight that is trained.

use crate::descent::arithmetic::add;
use crate::descent::group_step::times;
use burn::tensor::Tensor;
use burn_descent_engine::{Norm, Reading, dot, is_finite, wide};
use core::fmt;
use std::collections::BTreeMap;

/// A number for each weight that is trained: a gradient, a direction, the weights themselves.
///
/// It has the parameters of the model one by one, each as a tensor of rank 1 that is the parameter's own
/// or as large, without its graph, in f32 (f64 for f64); the model is not copied into one tensor. A
/// parameter that a vector has nothing of counts as 0: a gradient has none of what the loss does not
/// depend on.
///
/// Sums go over all parameters in the order of the model, and are taken in f64 where the device has it:
/// the same bits for any number of threads. A GPU waits for each number that is read.
#[derive(Clone, Default)]
pub struct Vector {
    /// By the number of the parameter in the model.
    parts: BTreeMap<u32, Tensor<1>>,
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.parts.iter().map(|(number, part)| (number, part.shape().num_elements()));
        f.debug_map().entries(sizes).finish()
    }
}

impl Vector {
    pub(in crate::descent) fn insert(&mut self, number: u32, part: Tensor<1>) {
        self.parts.insert(number, part);
    }

    pub(in crate::descent) fn part(&self, number: u32) -> Option<&Tensor<1>> {
        self.parts.get(&number)
    }

    /// The number of the first parameter that has one that is NaN or infinite.
    pub(super) fn first_not_finite(&self) -> Option<u32> {
        self.parts.iter().find(|(_, x)| !is_finite(x)).map(|(number, _)| *number)
    }

    /// How many parameters it has numbers of.
    pub fn parameters(&self) -> usize {
        self.parts.len()
    }

    /// `⟨x, y⟩`.
    pub fn dot(&self, y: &Self) -> f64 {
        self.sum(|number, x| Some(dot(x, y.parts.get(&number)?)))
    }

    /// `‖x‖`, which stays on a GPU until it is read.
    pub fn norm(&self) -> Reading {
        let mut norm = Norm::new();
        self.parts.values().for_each(|x| norm.add(x));
        norm.total()
    }

    /// `Σ |xᵢ|`.
    pub fn absolute(&self) -> f64 {
        self.sum(|_, x| Some(x.clone().cast(wide(x)).abs().sum().into()))
    }

    /// The largest `|xᵢ|`; NaN if there is one.
    pub fn largest(&self) -> f64 {
        let some = self.parts.values().filter(|x| x.shape().num_elements() > 0);
        let largest = some.map(|x| x.clone().cast(wide(x)).abs().max().into());
        read(largest).into_iter().fold(0.0, |most, x| if x > most || x.is_nan() { x } else { most })
    }

    /// `x + a y`, in the memory of `x` where nobody else holds it.
    pub fn add(mut self, a: impl Into<Reading>, y: &Self) -> Self {
        let a = a.into();
        for (number, y) in &y.parts {
            let moved = match (self.parts.remove(number), a.tensor()) {
                (None, _) => times(y.clone(), &a),
                (Some(x), None) => add(x, y.clone(), a.get()),
                (Some(x), Some(_)) => x + times(y.clone(), &a),
            };
            self.parts.insert(*number, moved);
        }
        self
    }

    /// `a x`.
    pub fn scale(self, a: impl Into<Reading>) -> Self {
        let a = a.into();
        self.map(|x| times(x, &a))
    }

    /// `xᵢ yᵢ`.
    pub fn times(mut self, y: &Self) -> Self {
        self.parts.retain(|number, _| y.parts.contains_key(number));
        for (number, x) in &mut self.parts {
            *x = x.clone() * y.parts[number].clone();
        }
        self
    }

    /// What `f` makes of the tensor of each parameter.
    ///
    /// # Panics
    /// If it makes one of another length.
    pub fn map(self, f: impl Fn(Tensor<1>) -> Tensor<1>) -> Self {
        let mapped = |(number, x): (u32, Tensor<1>)| {
            let shape = x.shape();
            let x = f(x);
            assert_eq!(x.shape(), shape, "a vector has a number for each weight");
            (number, x)
        };
        Self { parts: self.parts.into_iter().map(mapped).collect() }
    }

    /// The same beside these weights, on their devices and in their precisions; `None` if it has numbers
    /// of a parameter that is not among them, or not as large.
    pub(super) fn beside(self, weights: &Self) -> Option<Self> {
        let moved = self.parts.into_iter().map(|(number, x)| {
            let w = weights.parts.get(&number).filter(|w| w.shape() == x.shape())?;
            Some((number, x.to_device(&w.device()).cast(w.dtype())))
        });
        Some(Self { parts: moved.collect::<Option<_>>()? })
    }

    fn sum(&self, of: impl Fn(u32, &Tensor<1>) -> Option<Reading>) -> f64 {
        read(self.parts.iter().filter_map(|(number, x)| of(*number, x))).into_iter().sum()
    }
}

/// What was measured, in one read where all lies on one device in one type.
fn read(readings: impl Iterator<Item = Reading>) -> Vec<f64> {
    let readings: Vec<_> = readings.collect();
    let alike = |pair: &[Tensor<1>]| {
        pair[0].device() == pair[1].device() && pair[0].dtype() == pair[1].dtype()
    };
    let tensors = readings.iter().map(|reading| reading.tensor().cloned());
    match tensors.collect::<Option<Vec<_>>>() {
        Some(tensors) if tensors.len() > 1 && tensors.windows(2).all(alike) => {
            Tensor::cat(tensors, 0).into_data().iter::<f64>().collect()
        }
        _ => readings.iter().map(Reading::get).collect(),
    }
}
