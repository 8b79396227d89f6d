//! Modules, and launches of their kernels.

use super::{device, give, status};
use crate::device::Device;
use crate::status::Status;
use core::ffi::{CStr, c_char, c_int, c_uint, c_void};

type Handle = *mut c_void;

/// The handle of what has this number.
fn handle(number: usize) -> Handle {
    core::ptr::without_provenance_mut((number + 1) * 16)
}

fn number(handle: Handle) -> Result<usize, Status> {
    (handle.addr() / 16).checked_sub(1).ok_or(Status::INVALID_HANDLE)
}

/// Loads a module from its text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut Handle, ptx: *const c_void) -> Status {
    if ptx.is_null() {
        return Status::INVALID_VALUE;
    }
    // SAFETY: the contract of this module: a text that ends with zero.
    let text = unsafe { CStr::from_ptr(ptx.cast()) };
    let loaded = text.to_str().map_err(|_| Status::INVALID_PTX);
    let loaded = loaded.and_then(|text| device().load(text)).map(handle);
    // SAFETY: the contract of this module.
    unsafe { give(module, loaded) }
}

/// Forgets a module.
#[unsafe(no_mangle)]
pub extern "C" fn cuModuleUnload(module: Handle) -> Status {
    status(number(module).and_then(|module| device().unload(module)))
}

/// A kernel of a module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    function: *mut Handle,
    module: Handle,
    name: *const c_char,
) -> Status {
    if name.is_null() {
        return Status::INVALID_VALUE;
    }
    // SAFETY: the contract of this module: a text that ends with zero.
    let name = unsafe { CStr::from_ptr(name) };
    let found = number(module).and_then(|module| {
        let name = name.to_str().map_err(|_| Status::NOT_FOUND)?;
        device().function(module, name)
    });
    // SAFETY: the contract of this module.
    unsafe { give(function, found.map(handle)) }
}

/// Does nothing: a launch says what it needs.
#[unsafe(no_mangle)]
pub extern "C" fn cuFuncSetAttribute(_function: Handle, _which: c_int, _value: c_int) -> Status {
    Status::SUCCESS
}

/// Nothing is known of how much of a card a kernel needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuFuncGetAttribute(
    value: *mut c_int,
    _which: c_int,
    _function: Handle,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(value, Ok(0)) }
}

/// The bytes of the parameters of a kernel, each where the kernel has it.
///
/// # Safety
///
/// `pointers` points to as many pointers as the kernel has parameters, and they to the parameters.
unsafe fn gather(
    device: &Device,
    function: usize,
    pointers: *mut *mut c_void,
) -> Result<Vec<u8>, Status> {
    let parameters = device.parameters(function)?;
    let size = parameters.iter().map(|(place, size)| place + size).max().unwrap_or(0);
    let mut bytes = vec![0; size];
    if pointers.is_null() && size > 0 {
        return Err(Status::INVALID_VALUE);
    }
    for (at, (place, size)) in parameters.iter().enumerate() {
        // SAFETY: the caller promises this pointer, and `size` bytes behind it.
        unsafe {
            let parameter = pointers.add(at).read().cast::<u8>();
            let part = &mut bytes[*place..place + size];
            part.as_mut_ptr().copy_from_nonoverlapping(parameter, *size);
        }
    }
    Ok(bytes)
}

/// Runs a kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    function: Handle,
    grid_x: c_uint,
    grid_y: c_uint,
    grid_z: c_uint,
    block_x: c_uint,
    block_y: c_uint,
    block_z: c_uint,
    shared: c_uint,
    _stream: Handle,
    parameters: *mut *mut c_void,
    _extra: *mut *mut c_void,
) -> Status {
    let (grid, block) = ([grid_x, grid_y, grid_z], [block_x, block_y, block_z]);
    let mut device = device();
    status(number(function).and_then(|function| {
        // SAFETY: the contract of this module.
        let parameters = unsafe { gather(&device, function, parameters) }?;
        device.launch(function, grid, block, shared, &parameters)
    }))
}
