//! The devices there are, and why others are not.

use burn::tensor::{DType, Device, Tensor};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A device by its name in tests, on command lines and in `BURN_DESCENT_REQUIRE`.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// The device, or why it is not there.
    pub device: Result<Device, String>,
    /// Do its tensors lie in memory that the CPU passes over?
    pub on_cpu: bool,
    /// How exactly it computes in f32.
    pub exactness: Exactness,
}

/// How far the f32 of a device may be from exact numbers, relative to the greatest of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exactness {
    /// After some steps of a rule.
    pub steps: f64,
    /// After some steps down gradients that come from matrix products.
    pub products: f64,
}

impl Exactness {
    /// Each operation is rounded once, to f32.
    pub const ROUNDED: Self = Self { steps: 1e-6, products: 1e-6 };

    /// Products and sums may be one operation that is rounded once, so sums differ; burn's matrix
    /// product takes factors of eleven bits (TF32).
    pub const CUDA: Self = Self { steps: 2e-6, products: 5e-5 };

    /// The less exact of both.
    pub fn least(self, other: Self) -> Self {
        let (steps, products) = (self.steps, self.products);
        Self { steps: steps.max(other.steps), products: products.max(other.products) }
    }
}

/// The precisions of parameters, with their names in tests.
pub const DTYPES: [(&str, DType); 4] =
    [("f32", DType::F32), ("f64", DType::F64), ("f16", DType::F16), ("bf16", DType::BF16)];

/// Every device that burn-descent has an engine for, and `other`: one that it has none for.
pub fn all() -> Vec<Entry> {
    macro_rules! entry {
        ($name:literal, $on_cpu:literal, $exactness:ident, $device:expr) => {
            Entry {
                name: $name,
                on_cpu: $on_cpu,
                exactness: Exactness::$exactness,
                #[cfg(feature = $name)]
                device: probe($name, || $device),
                #[cfg(not(feature = $name))]
                device: Err(format!("built without the feature `{}`", $name)),
            }
        };
    }
    #[allow(deprecated)] // ndarray
    let entries = vec![
        entry!("flex", true, ROUNDED, Device::flex()),
        entry!("ndarray", true, ROUNDED, Device::ndarray()),
        entry!("wgpu", false, ROUNDED, Device::wgpu(Default::default())),
        entry!("vulkan", false, ROUNDED, Device::vulkan(Default::default())),
        entry!("metal", false, ROUNDED, Device::metal(Default::default())),
        entry!("cuda", false, CUDA, Device::cuda(0)),
        entry!("rocm", false, ROUNDED, Device::rocm(0)),
        entry!("other", false, ROUNDED, Device::flex()),
    ];
    entries
}

/// burn opens an adapter at the first tensor, and panics where there is none.
#[allow(dead_code)] // without any backend
fn probe(name: &str, device: impl FnOnce() -> Device) -> Result<Device, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = catch_unwind(AssertUnwindSafe(|| {
        let device = device();
        let sum = Tensor::<1>::ones([2], &device).sum().into_data();
        assert_eq!(sum.iter::<f32>().next(), Some(2.0));
        device
    }));
    std::panic::set_hook(hook);
    found.map_err(|_| format!("no adapter for `{name}` on this machine"))
}
