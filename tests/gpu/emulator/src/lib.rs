//! A CUDA driver that runs PTX on the processor, one thread after another, and checks every access to memory.
//!
//! The path of a program through CUDA, from its calls of the driver to the code of its kernels, can so be
//! tested where there is no GPU. Build it, copy it to a folder of its own under the name that CUDA's
//! driver has, and let the program find it there:
//!
//! ```sh
//! cargo build --release -p burn-descent-ptx
//! mkdir -p emulator && cp target/release/libburn_descent_ptx.so emulator/libcuda.so
//! LD_LIBRARY_PATH=$PWD/emulator program
//! ```
//!
//! # What it knows
//!
//! The calls and the instructions that CubeCL 0.11 makes and emits. A module with anything else is refused with
//! `CUDA_ERROR_INVALID_PTX`, and standard error names what is not known. Results are those of a card, to the
//! last bit, but for instructions that a card approximates (`ex2.approx` and the like are rounded from f64),
//! for products of matrices (summed in f64), and for the payload of NaN in f64.
//!
//! # What it checks
//!
//! - Each load and store lies inside one allocation, as long as it was asked for, or of the shared or local
//!   memory there is. If not, the launch returns `CUDA_ERROR_ILLEGAL_ADDRESS`, and so does all that comes
//!   after it, as on a card. Addresses are never used again, so that what was freed is seen as well.
//! - Addresses are multiples of what is read or written there, or it is `CUDA_ERROR_MISALIGNED_ADDRESS`.
//! - Memory is full of NaN until it is written, in all precisions, shared memory of each block too.
//! - A launch is deterministic: blocks, warps and threads run in their order.
//!
//! # What it tells
//!
//! | variable | what it does |
//! |---|---|
//! | `PTX_EMULATOR_DUMP=FOLDER` | writes each module that is loaded, as `KERNEL-HASH.ptx` |
//! | `PTX_EMULATOR_REPORT=1` | at the end, counts launches, kernels, modules, threads, allocations and faults |
//! | `PTX_EMULATOR_TRACE=1` | tells the kernel, the grid and the block of each launch |
//! | `PTX_EMULATOR_NULL=N` | only the first N launches run, by which a program sees that there is a device; the others return at once: what remains is the time of the host |
//!
//! All is said on standard error.

mod device;
pub mod driver;
mod execute;
mod launch;
mod matrix;
mod memory;
mod number;
mod parse;
mod program;
mod report;
mod status;
mod types;
mod warp;

pub use status::Status;

#[cfg(test)]
mod tests;
