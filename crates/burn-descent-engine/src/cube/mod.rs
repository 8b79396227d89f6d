//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod around;
mod coding;
mod collect;
mod emit;
mod extension;
mod kept;
mod kernel;
mod layout;
mod noise;
mod norm;
mod parts;
mod passes;
mod power;
mod reduce;
mod step;

pub(crate) use extension::{Kernels, step};
pub(crate) use kept::{reads, step_kept};
pub(crate) use norm::add_squares;
pub(crate) use reduce::Total;
