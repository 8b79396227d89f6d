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

fn piece<T: Wide>(slice: &[T]) -> f64 {
    struct Sum<'a, T>(&'a [T]);
    impl<T: Wide> pulp::NullaryFnOnce for Sum<'_, T> {
        type Output = f64;
        #[inline(always)]
        fn call(self) -> f64 {
            let mut sums = [0.0; SIDE];
            let chunks = self.0.chunks_exact(SIDE);
            let rest: f64 = chunks.remainder().iter().map(|x| x.wide() * x.wide()).sum();
            for chunk in chunks {
                for (sum, x) in sums.iter_mut().zip(chunk) {
                    *sum += x.wide() * x.wide();
                }
            }
            sums.iter().sum::<f64>() + rest
        }
    }
    pulp::Arch::new().dispatch(Sum(slice))
}
