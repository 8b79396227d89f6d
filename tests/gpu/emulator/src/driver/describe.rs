//! What there is: one device, that looks like an H100.

use super::{device, give, status};
use crate::memory::TOTAL;
use crate::status::Status;
use core::ffi::{c_char, c_int, c_uint, c_void};

/// Does nothing: all is ready.
#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> Status {
    Status::SUCCESS
}

/// 13.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(version, Ok(13000)) }
}

/// One.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(count, Ok(1)) }
}

/// The device of this number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(found: *mut c_int, number: c_int) -> Status {
    let result = if number == 0 { Ok(0) } else { Err(Status::INVALID_DEVICE) };
    // SAFETY: the contract of this module.
    unsafe { give(found, result) }
}

/// Writes `text`, and a zero behind it, as far as there is room.
///
/// # Safety
///
/// `to` is valid for `length` bytes.
unsafe fn give_text(to: *mut c_char, length: c_int, text: &str) -> Status {
    let room = usize::try_from(length).unwrap_or(0);
    if to.is_null() || room == 0 {
        return Status::INVALID_VALUE;
    }
    let count = text.len().min(room - 1);
    // SAFETY: `count` bytes and a zero fit into `room`.
    unsafe {
        to.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), count);
        to.add(count).write(0);
    }
    Status::SUCCESS
}

/// The name of the device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, _: c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give_text(name, length, "PTX emulator (H100)") }
}

/// The number of a device that there is once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], _: c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(uuid, Ok([7; 16])) }
}

/// Bytes of memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, _: c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(bytes, Ok(TOTAL as usize)) }
}

/// Where the device is plugged in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetPCIBusId(id: *mut c_char, length: c_int, _: c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give_text(id, length, "0000:00:05.0") }
}

/// A property of the device, by CUDA's number for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(to: *mut c_int, which: c_int, _: c_int) -> Status {
    let value = match which {
        1..=3 => 1024,   // threads of a block, and on the axes x and y
        4 => 64,         // on the axis z
        5 => c_int::MAX, // blocks of a grid on the axis x
        6 | 7 => 65_535, // on the axes y and z
        8 => 49_152,     // shared memory of a block
        9 => 65_536,     // constant memory
        10 => 32,        // threads of a warp
        12 => 65_536,    // registers of a block
        16 => 132,       // multiprocessors
        39 => 2048,      // threads of a multiprocessor
        75 => 9,         // compute capability
        76 => 0,         // its second number
        97 => 232_448,   // shared memory of a block that asks for it
        _ => 1,          // most of the others say whether there is something
    };
    // SAFETY: the contract of this module.
    unsafe { give(to, Ok(value)) }
}

/// The one context. It is never looked into.
const CONTEXT: *mut c_void = core::ptr::dangling_mut::<u64>().cast();

/// The context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, _: c_int) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(context, Ok(CONTEXT)) }
}

/// Does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cuDevicePrimaryCtxRelease_v2(_device: c_int) -> Status {
    Status::SUCCESS
}

/// Does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(_context: *mut c_void) -> Status {
    Status::SUCCESS
}

/// The context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetCurrent(context: *mut *mut c_void) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(context, Ok(CONTEXT)) }
}

/// Priorities that mean nothing here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuCtxGetStreamPriorityRange(
    least: *mut c_int,
    most: *mut c_int,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe {
        give(least, Ok(0));
        give(most, Ok(-5))
    }
}

/// All is done already; an error if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> Status {
    status(device().sound())
}

/// The name of an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(error: Status, name: *mut *const c_char) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(name, Ok(error.name().as_ptr())) }
}

/// An error in words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorString(error: Status, text: *mut *const c_char) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(text, Ok(error.text().as_ptr())) }
}
