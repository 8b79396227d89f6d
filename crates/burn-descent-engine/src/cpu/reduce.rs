//! Sums over slices.

use super::share::sum_pieces;
use burn::backend::{BackendTensor, DispatchTensorKind};
use burn::tensor::{Tensor, bf16, f16};

/// Sums that are kept side by side, so that they are computed as a vector.
const SIDE: usize = 16;

/// The sum of squares of a tensor that lies in memory in one run; `None` for any other.
#[allow(deprecated)] // ndarray
pub(crate) fn sum_squares<const D: usize>(tensor: &Tensor<D>) -> Option<f64> {
    match tensor.clone().into_dispatch().kind {
        #[cfg(feature = "flex")]
        DispatchTensorKind::Flex(BackendTensor::Float(tensor)) => {
            use burn::tensor::DType;
            match tensor.dtype() {
                DType::F32 => tensor.as_slice::<f32>().map(sum),
                DType::F64 => tensor.as_slice::<f64>().map(sum),
                DType::F16 => tensor.as_slice::<f16>().map(sum),
                DType::BF16 => tensor.as_slice::<bf16>().map(sum),
                _ => None,
            }
        }
        #[cfg(feature = "ndarray")]
        DispatchTensorKind::NdArray(BackendTensor::Float(tensor)) => {
            use burn::backend::ndarray::NdArrayTensor;
            match tensor {
                NdArrayTensor::F32(array) => array.view().as_slice().map(sum),
                NdArrayTensor::F64(array) => array.view().as_slice().map(sum),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The sum of products of two tensors of one type that lie in memory in one run each; `None` for any
/// others.
#[allow(deprecated)] // ndarray
pub(crate) fn sum_products<const D: usize>(x: &Tensor<D>, y: &Tensor<D>) -> Option<f64> {
    match (x.clone().into_dispatch().kind, y.clone().into_dispatch().kind) {
        #[cfg(feature = "flex")]
        (
            DispatchTensorKind::Flex(BackendTensor::Float(x)),
            DispatchTensorKind::Flex(BackendTensor::Float(y)),
        ) => {
            use burn::tensor::DType;
            match (x.dtype(), y.dtype()) {
                (DType::F32, DType::F32) => products(x.as_slice::<f32>()?, y.as_slice::<f32>()?),
                (DType::F64, DType::F64) => products(x.as_slice::<f64>()?, y.as_slice::<f64>()?),
                _ => None,
            }
        }
        #[cfg(feature = "ndarray")]
        (
            DispatchTensorKind::NdArray(BackendTensor::Float(x)),
            DispatchTensorKind::NdArray(BackendTensor::Float(y)),
        ) => {
            use burn::backend::ndarray::NdArrayTensor;
            match (x, y) {
                (NdArrayTensor::F32(x), NdArrayTensor::F32(y)) => {
                    products(x.view().as_slice()?, y.view().as_slice()?)
                }
                (NdArrayTensor::F64(x), NdArrayTensor::F64(y)) => {
                    products(x.view().as_slice()?, y.view().as_slice()?)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

trait Wide: Copy + Sync {
    fn wide(self) -> f64;
}

macro_rules! impl_wide {
    ($($t:ident),*) => {$(
        impl Wide for $t {
            #[inline(always)]
            fn wide(self) -> f64 {
                self.into()
            }
        }
    )*};
}
impl_wide!(f32, f64, f16, bf16);

fn sum<T: Wide>(slice: &[T]) -> f64 {
    sum_pieces(slice.len(), |at| piece(&slice[at]))
}

fn products<T: Wide>(x: &[T], y: &[T]) -> Option<f64> {
    let sum = || sum_pieces(x.len(), |at| piece_of_products(&x[at.clone()], &y[at]));
    (x.len() == y.len()).then(sum)
}

fn piece<T: Wide>(slice: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T]);
    impl<T: Wide> pulp::NullaryFnOnce for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn call(self) -> f64 {
            side_by_side(self.0, self.0)
        }
    }
    pulp::Arch::new().dispatch(Sum(slice))
}

fn piece_of_products<T: Wide>(x: &[T], y: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T], &'a [T]);
    impl<T: Wide> pulp::NullaryFnOnce for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn call(self) -> f64 {
            side_by_side(self.0, self.1)
        }
    }
    pulp::Arch::new().dispatch(Sum(x, y))
}

#[inline(always)]
fn side_by_side<T: Wide>(x: &[T], y: &[T]) -> f64 {
    let mut sums = [0.0; SIDE];
    let (xs, ys) = (x.chunks_exact(SIDE), y.chunks_exact(SIDE));
    let rest = xs.remainder().iter().zip(ys.remainder());
    let rest: f64 = rest.map(|(x, y)| x.wide() * y.wide()).sum();
    for (x, y) in xs.zip(ys) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x.wide() * y.wide();
        }
    }
    sums.iter().sum::<f64>() + rest
}
