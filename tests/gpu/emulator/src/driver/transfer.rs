//! Memory of the device and of the host, and copies between them.

use super::{device, give, status};
use crate::memory::{Memory, TOTAL};
use crate::status::Status;
use core::ffi::{c_uchar, c_uint, c_void};
use std::alloc::{Layout, alloc, dealloc};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// An address on the device.
pub type Address = u64;

/// Memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(address: *mut Address, bytes: usize) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(address, device().allocate(bytes as u64)) }
}

/// Memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocAsync(
    address: *mut Address,
    bytes: usize,
    _stream: *mut c_void,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe { cuMemAlloc_v2(address, bytes) }
}

/// Gives memory back.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemFree_v2(address: Address) -> Status {
    let mut device = device();
    let freed = if address == 0 { Ok(()) } else { device.memory.free(address) };
    status(device.sound().and(freed))
}

/// Gives memory back.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemFreeAsync(address: Address, _stream: *mut c_void) -> Status {
    cuMemFree_v2(address)
}

/// How much memory is left, and how much there is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemGetInfo_v2(free: *mut usize, total: *mut usize) -> Status {
    // SAFETY: the contract of this module.
    unsafe {
        give(free, Ok(device().memory.left() as usize));
        give(total, Ok(TOTAL as usize))
    }
}

/// Host memory that was allocated here, with its size.
static HOST: LazyLock<Mutex<HashMap<usize, usize>>> = LazyLock::new(Mutex::default);

fn layout(bytes: usize) -> Result<Layout, Status> {
    Layout::from_size_align(bytes.max(1), 4096).map_err(|_| Status::INVALID_VALUE)
}

/// Host memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAllocHost_v2(to: *mut *mut c_void, bytes: usize) -> Status {
    let allocated = layout(bytes).and_then(|layout| {
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() { Err(Status::OUT_OF_MEMORY) } else { Ok(memory.cast()) }
    });
    if let Ok(memory) = allocated {
        let memory: *mut c_void = memory;
        HOST.lock().unwrap_or_else(PoisonError::into_inner).insert(memory.addr(), bytes);
    }
    // SAFETY: the contract of this module.
    unsafe { give(to, allocated) }
}

/// Host memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemHostAlloc(
    to: *mut *mut c_void,
    bytes: usize,
    _flags: c_uint,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe { cuMemAllocHost_v2(to, bytes) }
}

/// Gives host memory back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemFreeHost(memory: *mut c_void) -> Status {
    let known = HOST.lock().unwrap_or_else(PoisonError::into_inner).remove(&memory.addr());
    let layout = known.ok_or(Status::INVALID_VALUE).and_then(layout);
    status(layout.map(|layout| {
        // SAFETY: allocated by `cuMemAllocHost_v2` with this layout, and not given back before.
        unsafe { dealloc(memory.cast(), layout) };
    }))
}

/// Copies from the host to the device.
///
/// # Safety
///
/// `from` is valid for `bytes` bytes.
unsafe fn to_device(
    memory: &mut Memory,
    to: Address,
    mut from: *const u8,
    bytes: usize,
) -> Result<(), Status> {
    if bytes == 0 {
        return Ok(());
    }
    memory.write_all(to, bytes, |piece| {
        // SAFETY: the pieces are `bytes` long together, and the caller promises that many.
        unsafe {
            from.copy_to_nonoverlapping(piece.as_mut_ptr(), piece.len());
            from = from.add(piece.len());
        }
    })
}

/// Copies from the device to the host.
///
/// # Safety
///
/// `to` is valid for `bytes` bytes.
unsafe fn to_host(
    memory: &Memory,
    mut to: *mut u8,
    from: Address,
    bytes: usize,
) -> Result<(), Status> {
    if bytes == 0 {
        return Ok(());
    }
    memory.read_all(from, bytes, |piece| {
        // SAFETY: the pieces are `bytes` long together, and the caller promises that many.
        unsafe {
            to.copy_from_nonoverlapping(piece.as_ptr(), piece.len());
            to = to.add(piece.len());
        }
    })
}

/// Copies on the device.
fn on_device(memory: &mut Memory, to: Address, from: Address, bytes: usize) -> Result<(), Status> {
    if bytes == 0 {
        return Ok(());
    }
    if !memory.holds(to, bytes as u64) {
        return Err(Status::INVALID_VALUE);
    }
    let mut copy = Vec::with_capacity(bytes);
    memory.read_all(from, bytes, |piece| copy.extend_from_slice(piece))?;
    let mut rest = copy.as_slice();
    memory.write_all(to, bytes, |piece| {
        let (now, later) = rest.split_at(piece.len());
        piece.copy_from_slice(now);
        rest = later;
    })
}

/// Copies from the host to the device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: Address,
    from: *const c_void,
    bytes: usize,
    _stream: *mut c_void,
) -> Status {
    let mut device = device();
    // SAFETY: the contract of this module.
    let copied = unsafe { to_device(&mut device.memory, to, from.cast(), bytes) };
    status(device.sound().and(copied))
}

/// Copies from the device to the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: Address,
    bytes: usize,
    _stream: *mut c_void,
) -> Status {
    let device = device();
    // SAFETY: the contract of this module.
    let copied = unsafe { to_host(&device.memory, to.cast(), from, bytes) };
    status(device.sound().and(copied))
}

/// Copies on the device.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemcpyDtoDAsync_v2(
    to: Address,
    from: Address,
    bytes: usize,
    _stream: *mut c_void,
) -> Status {
    let mut device = device();
    let copied = on_device(&mut device.memory, to, from, bytes);
    status(device.sound().and(copied))
}

/// Fills memory with a byte.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8Async(
    to: Address,
    byte: c_uchar,
    bytes: usize,
    _stream: *mut c_void,
) -> Status {
    let mut device = device();
    let filled = match bytes {
        0 => Ok(()),
        _ => device.memory.write_all(to, bytes, |piece| piece.fill(byte)),
    };
    status(device.sound().and(filled))
}

/// One side of a copy of rows, as CUDA lays it out.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Side {
    /// Bytes before the first of a row.
    pub x: usize,
    /// Rows before the first.
    pub y: usize,
    /// 1 for the host, 2 for the device.
    pub kind: c_uint,
    /// The address on the host.
    pub host: *mut c_void,
    /// The address on the device.
    pub device: Address,
    /// An array of CUDA; there are none here.
    pub array: *mut c_void,
    /// Bytes from a row to the next.
    pub pitch: usize,
}

/// A copy of rows, as CUDA lays it out.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Copy2D {
    /// Where it comes from.
    pub from: Side,
    /// Where it goes.
    pub to: Side,
    /// Bytes of a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// Copies rows that do not lie one behind another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemcpy2DAsync_v2(copy: *const Copy2D, _stream: *mut c_void) -> Status {
    if copy.is_null() {
        return Status::INVALID_VALUE;
    }
    // SAFETY: the contract of this module.
    let Copy2D { from, to, width, height } = unsafe { copy.read() };
    let mut device = device();
    let memory = &mut device.memory;
    let copied = (0..height).try_for_each(|row| {
        let place = |side: &Side| (side.y + row) * side.pitch + side.x;
        let on_host = |side: &Side| side.host.cast::<u8>().wrapping_add(place(side));
        let on_card = |side: &Side| side.device + place(side) as u64;
        match (from.kind, to.kind) {
            // SAFETY: the contract of this module: rows on the host are as long as the copy says.
            (1, 2) => unsafe { to_device(memory, on_card(&to), on_host(&from), width) },
            // SAFETY: as above.
            (2, 1) => unsafe { to_host(memory, on_host(&to), on_card(&from), width) },
            (2, 2) => on_device(memory, on_card(&to), on_card(&from), width),
            _ => Err(Status::INVALID_VALUE),
        }
    });
    status(device.sound().and(copied))
}
