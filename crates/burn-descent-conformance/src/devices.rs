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
}

/// The precisions of parameters, with their names in tests.
pub const DTYPES: [(&str, DType); 4] =
    [("f32", DType::F32), ("f64", DType::F64), ("f16", DType::F16), ("bf16", DType::BF16)];

/// Every device that burn-descent has an engine for, and `other`: one that it has none for.
pub fn all() -> Vec<Entry> {
    macro_rules! entry {
        ($name:literal, $on_cpu:literal, $device:expr) => {
            Entry {
                name: $name,
                on_cpu: $on_cpu,
                #[cfg(feature = $name)]
                device: probe($name, || $device),
                #[cfg(not(feature = $name))]
                device: Err(format!("built without the feature `{}`", $name)),
            }
        };
    }
    #[allow(deprecated)] // ndarray
    let entries = vec![
        entry!("flex", true, Device::flex()),
        entry!("ndarray", true, Device::ndarray()),
        entry!("wgpu", false, Device::wgpu(Default::default())),
        entry!("vulkan", false, Device::vulkan(Default::default())),
        entry!("metal", false, Device::metal(Default::default())),
        entry!("cuda", false, Device::cuda(0)),
        entry!("rocm", false, Device::rocm(0)),
        entry!("other", false, Device::flex()),
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
