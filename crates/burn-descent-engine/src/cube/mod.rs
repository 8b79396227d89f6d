//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod emit;
mod extension;
mod kernel;
mod noise;
mod reduce;

pub(crate) use extension::step;
pub(crate) use reduce::{Total, add_squares};
