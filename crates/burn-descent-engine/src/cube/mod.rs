//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod emit;
mod kernel;
