//! What calls of the driver return.

use core::ffi::{CStr, c_int};

/// A result of the driver, as C knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Status(pub c_int);

impl Status {
    /// All is well.
    pub const SUCCESS: Self = Self(0);
    /// An argument makes no sense.
    pub const INVALID_VALUE: Self = Self(1);
    /// There is not as much memory.
    pub const OUT_OF_MEMORY: Self = Self(2);
    /// There is no such device.
    pub const INVALID_DEVICE: Self = Self(101);
    /// The module holds what the emulator does not know.
    pub const INVALID_PTX: Self = Self(218);
    /// A handle is none.
    pub const INVALID_HANDLE: Self = Self(400);
    /// The module has no such kernel.
    pub const NOT_FOUND: Self = Self(500);
    /// A kernel read or wrote what is no memory.
    pub const ILLEGAL_ADDRESS: Self = Self(700);
    /// A kernel came to a trap, or to what cannot be done.
    pub const LAUNCH_FAILED: Self = Self(719);
    /// A kernel read or wrote several bytes at an address that is no multiple of them.
    pub const MISALIGNED_ADDRESS: Self = Self(716);

    /// The name that CUDA has for it.
    pub(crate) fn name(self) -> &'static CStr {
        match self.0 {
            0 => c"CUDA_SUCCESS",
            1 => c"CUDA_ERROR_INVALID_VALUE",
            2 => c"CUDA_ERROR_OUT_OF_MEMORY",
            101 => c"CUDA_ERROR_INVALID_DEVICE",
            218 => c"CUDA_ERROR_INVALID_PTX",
            400 => c"CUDA_ERROR_INVALID_HANDLE",
            500 => c"CUDA_ERROR_NOT_FOUND",
            700 => c"CUDA_ERROR_ILLEGAL_ADDRESS",
            716 => c"CUDA_ERROR_MISALIGNED_ADDRESS",
            719 => c"CUDA_ERROR_LAUNCH_FAILED",
            _ => c"CUDA_ERROR_UNKNOWN",
        }
    }

    /// What it means here.
    pub(crate) fn text(self) -> &'static CStr {
        match self.0 {
            0 => c"no error",
            1 => c"an argument makes no sense",
            2 => c"out of memory",
            101 => c"no such device",
            218 => c"the PTX emulator does not know an instruction (standard error says which)",
            400 => c"no such handle",
            500 => c"no such kernel",
            700 => c"a kernel read or wrote what is no memory (standard error says where)",
            716 => c"a kernel read or wrote a misaligned address (standard error says where)",
            719 => c"a kernel failed (standard error says where)",
            _ => c"unknown error",
        }
    }
}
