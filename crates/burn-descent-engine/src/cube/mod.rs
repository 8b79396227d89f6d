//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod emit;
mod extension;
mod kernel;
mod noise;

pub(crate) use extension::step;
