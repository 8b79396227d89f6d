//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod around;
mod coding;
mod collect;
mod dynamic;
mod emit;
mod extension;
mod halves;
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
mod words;

pub(crate) use extension::{Kernels, step};
pub(crate) use kept::InWords;
pub(crate) use norm::add_squares;
pub(crate) use reduce::Total;
