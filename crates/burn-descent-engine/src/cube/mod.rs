//! One in-place kernel on every CubeCL backend: wgpu, Vulkan, Metal, CUDA, ROCm.

mod arguments;
mod around;
mod backend;
mod coding;
mod collect;
mod dynamic;
mod emit;
mod extension;
mod halves;
mod kept;
mod kernel;
mod layout;
mod leaf;
mod list;
mod many;
mod noise;
mod norm;
mod parts;
mod passes;
mod power;
mod reduce;
mod share;
mod step;
mod together;
mod words;

pub(crate) use extension::{Kernels, step};
pub(crate) use kept::InWords;
pub(crate) use leaf::is_alone;
pub(crate) use norm::Squares;
pub(crate) use together::{Waiting, step_together};
