//! Rows of numbers on the host.

use burn::tensor::{Device, Tensor, TensorData};

/// Rows of numbers of the same width, one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// All numbers, row by row.
    pub values: Vec<f32>,
    /// Numbers in a row, at least one.
    pub width: usize,
}

impl Matrix {
    /// Rows of `width` numbers.
    pub fn new(values: Vec<f32>, width: usize) -> Self {
        Self { values, width }
    }

    /// A row for each class: 1 in its column, 0 in the others.
    pub fn one_hot(classes: &[usize], width: usize) -> Self {
        let mut values = vec![0.0; classes.len() * width];
        for (row, class) in values.chunks_exact_mut(width).zip(classes) {
            row[*class] = 1.0;
        }
        Self { values, width }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width)
    }

    /// The rows of these numbers, in this order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let row = |i: &usize| &self.values[i * self.width..][..self.width];
        Self { values: rows.iter().flat_map(row).copied().collect(), width: self.width }
    }

    /// The rows as a tensor on a device.
    pub fn tensor(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.values.clone(), [self.len(), self.width]), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_selected_in_order() {
        let matrix = Matrix::new(vec![1., 2., 3., 4., 5., 6.], 2);
        assert_eq!(matrix.select(&[2, 0]), Matrix::new(vec![5., 6., 1., 2.], 2));
        assert_eq!(Matrix::one_hot(&[1, 0], 2).values, [0., 1., 1., 0.]);
    }
}
