//! Searches that move the weights themselves.

mod bad;
mod golden;
mod kept;
mod solve;
mod sophia;

use burn::module::{Module, Param};
use burn::tensor::{DType, Device, Tensor, TensorData};
use burn_descent_tests::{devices, values};

/// Two parameters, which a search has to see as one vector.
#[derive(Module, Debug)]
struct Pair {
    a: Param<Tensor<1>>,
    b: Param<Tensor<2>>,
}

fn tensor<const D: usize>(
    numbers: &[f64],
    shape: [usize; D],
    dtype: DType,
    device: &Device,
) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), shape), (device, dtype))
}

impl Pair {
    /// With these numbers, an even number of them: a vector, and a matrix of two rows.
    fn new(numbers: &[f64], dtype: DType, device: &Device) -> Self {
        let (a, b) = numbers.split_at(numbers.len() / 4 * 2);
        let a: Tensor<1> = tensor(a, [a.len()], dtype, device);
        let b: Tensor<2> = tensor(b, [2, b.len() / 2], dtype, device);
        Self {
            a: Param::from_tensor(a.autodiff().require_grad()),
            b: Param::from_tensor(b.autodiff().require_grad()),
        }
    }

    fn all(&self) -> Tensor<1> {
        Tensor::cat(vec![self.a.val(), self.b.val().reshape([-1])], 0)
    }

    fn values(&self) -> Vec<f64> {
        values(&self.all())
    }
}

/// `Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²`
fn rosenbrock(pair: &Pair) -> Tensor<1> {
    let x = pair.all();
    let n = x.dims()[0];
    let (x, next) = (x.clone().narrow(0, 0, n - 1), x.narrow(0, 1, n - 1));
    let valley = (next - x.clone().square()).square().sum().mul_scalar(100.0);
    valley + (x - 1.0).square().sum()
}

/// Where Rosenbrock's function of `n` numbers is usually begun.
fn start(n: usize, dtype: DType, device: &Device) -> Pair {
    let numbers: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    Pair::new(&numbers, dtype, device)
}

/// A device that computes in f64, or the first there is in f32.
fn device() -> (Device, DType) {
    let all = devices::all().into_iter().filter_map(|entry| entry.device.ok());
    let wide = all.into_iter().find(|device| device.supports_dtype(DType::F64));
    wide.map_or((Device::default(), DType::F32), |device| (device, DType::F64))
}

/// The devices there are, which compute in f64 but for GPUs.
fn each_device(mut test: impl FnMut(&Device, DType)) {
    let mut found = 0;
    for entry in devices::all() {
        let Ok(device) = entry.device else { continue };
        let dtype = if device.supports_dtype(DType::F64) { DType::F64 } else { DType::F32 };
        test(&device, dtype);
        found += 1;
    }
    assert!(found > 0);
}
