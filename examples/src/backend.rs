//! The backends: which there are, which are in this program, and opening one.

use crate::quietly::quietly;
use anyhow::{Context, Result, anyhow, bail, ensure};
use burn::tensor::{Device, Tensor};
use burn_descent::rules::unknown;
use std::str::FromStr;

/// Where tensors are and who computes with them.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    /// Its name, which is also that of the cargo feature.
    pub name: &'static str,
    /// How to get a device by its number, if the backend is in this program.
    device: Option<fn(usize) -> Device>,
    /// Does it count its devices? If not, it has the one.
    counts: bool,
}

macro_rules! backends {
    ($($name:literal: $device:expr, counts $counts:literal;)*) => {
        [$({
            #[cfg(feature = $name)]
            let device: Option<fn(usize) -> Device> = Some($device);
            #[cfg(not(feature = $name))]
            let device = None;
            Backend { name: $name, device, counts: $counts }
        }),*]
    };
}

/// Every backend, the default first.
static BACKENDS: [Backend; 7] = backends! {
    "flex": |_| Device::flex(), counts false;
    "ndarray": |_| ndarray(), counts false;
    "wgpu": |_| Device::wgpu(Default::default()), counts false;
    "vulkan": |_| Device::vulkan(Default::default()), counts false;
    "metal": |_| Device::metal(Default::default()), counts false;
    "cuda": |number| Device::cuda(number), counts true;
    "rocm": |number| Device::rocm(number), counts true;
};

#[cfg(feature = "ndarray")]
#[allow(deprecated, reason = "it is first-class here for as long as burn ships it")]
fn ndarray() -> Device {
    Device::ndarray()
}

impl Backend {
    /// Those in this program.
    pub fn compiled() -> impl Iterator<Item = &'static Backend> {
        BACKENDS.iter().filter(|backend| backend.device.is_some())
    }

    /// The default: the first of those in this program.
    ///
    /// # Errors
    /// If there is none.
    pub fn first() -> Result<Backend> {
        Self::compiled()
            .next()
            .copied()
            .context("this program was built without a backend: build it with `--features flex`")
    }

    /// The first device, after computing one number on it.
    ///
    /// # Errors
    /// If the backend is not in this program, or finds no adapter to work on.
    pub fn open(self) -> Result<Device> {
        self.open_nth(0)
    }

    /// The device of a number from 0, after computing one number on it.
    ///
    /// # Errors
    /// If the backend is not in this program, has no such device, or finds no adapter to work on.
    pub fn open_nth(self, number: usize) -> Result<Device> {
        let name = self.name;
        ensure!(
            number == 0 || self.counts,
            "the backend `{name}` has one device, there is no device {number}"
        );
        let Some(device) = self.device else {
            bail!(
                "this program was built without the backend `{name}`: build it with `--features {name}`"
            )
        };
        let device = quietly(|| {
            let device = device(number);
            let two = Tensor::<1>::ones([1], &device) + 1.0;
            (two.try_into_vec_as::<f32>().ok()? == [2.0]).then_some(device)
        });
        match device {
            Ok(Some(device)) => Ok(device),
            Ok(None) => bail!("the backend `{name}` does not compute: is its driver installed?"),
            Err(reason) => bail!("the backend `{name}` finds no adapter to work on: {reason}"),
        }
    }
}

impl FromStr for Backend {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = || BACKENDS.iter().map(|backend| backend.name);
        BACKENDS
            .iter()
            .find(|backend| backend.name == name)
            .copied()
            .ok_or_else(|| anyhow!(unknown("backend", name, names())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_or_suggested() {
        assert_eq!("flex".parse::<Backend>().unwrap().name, "flex");
        let error = "flax".parse::<Backend>().unwrap_err().to_string();
        assert!(error.contains("did you mean `flex`?"), "{error}");
    }

    #[test]
    fn absent_ones_name_their_feature() {
        let absent = Backend { name: "wgpu", device: None, counts: false };
        assert!(absent.open().unwrap_err().to_string().contains("--features wgpu"));
        let broken =
            Backend { name: "wgpu", device: Some(|_| panic!("no adapter\nat all")), counts: false };
        assert!(broken.open().unwrap_err().to_string().ends_with("work on: no adapter"));
        assert!(broken.open_nth(1).unwrap_err().to_string().contains("there is no device 1"));
    }
}
