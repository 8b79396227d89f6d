//! CUDA's driver, as far as it is called: functions of C that a program finds by their names.
//!
//! Streams are not kept apart: each call does its work before it returns.
//!
//! # Safety
//!
//! The functions have the contracts of CUDA's documentation. Pointers to results are valid to be written, host
//! memory is as long as the call says, strings end with zero, and parameters of a launch are as the kernel
//! declares them.
#![allow(unsafe_code, reason = "an interface of C")]
#![allow(non_snake_case, reason = "the names are CUDA's")]
#![allow(clippy::missing_safety_doc, reason = "stated once, above")]

mod describe;
mod module;
mod stream;
mod transfer;

pub use describe::*;
pub use module::*;
pub use stream::*;
pub use transfer::*;

use crate::device::Device;
use crate::report::Wishes;
use crate::status::Status;
use core::ffi::c_int;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

static DEVICE: LazyLock<Mutex<Device>> = LazyLock::new(|| {
    let wishes = Wishes::of_environment();
    if wishes.report {
        // SAFETY: `tell` has the type that C asks for, and lives as long as the library.
        unsafe { atexit(tell) };
    }
    Mutex::new(Device::new(wishes))
});

unsafe extern "C" {
    fn atexit(function: extern "C" fn()) -> c_int;
}

extern "C" fn tell() {
    eprintln!("{}", device().counters.line());
}

/// The device, to one thread at a time.
fn device() -> MutexGuard<'static, Device> {
    DEVICE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a call returns.
fn status(result: Result<(), Status>) -> Status {
    result.err().unwrap_or(Status::SUCCESS)
}

/// Writes the result of a call where the caller wants it.
///
/// # Safety
///
/// `to` is null or valid to be written.
unsafe fn give<T>(to: *mut T, result: Result<T, Status>) -> Status {
    match result {
        Ok(_) if to.is_null() => Status::INVALID_VALUE,
        Ok(value) => {
            // SAFETY: not null, and the caller promises the rest.
            unsafe { to.write(value) };
            Status::SUCCESS
        }
        Err(error) => error,
    }
}

/// How many kernels have been launched so far.
#[unsafe(no_mangle)]
pub extern "C" fn ptx_emulator_launches() -> u64 {
    device().counters.launches
}
