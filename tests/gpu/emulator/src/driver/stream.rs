//! Streams and events. As all is done when a call returns, a stream is a number, and an event is a time.

use super::{device, give, status};
use crate::status::Status;
use core::ffi::{c_float, c_int, c_uint, c_void};
use core::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

type Handle = *mut c_void;

/// When each event was recorded, if it was.
static EVENTS: LazyLock<Mutex<HashMap<usize, Option<Instant>>>> = LazyLock::new(Mutex::default);

/// A handle that no other has.
fn handle() -> Handle {
    static NEXT: AtomicUsize = AtomicUsize::new(0x1000);
    core::ptr::without_provenance_mut(NEXT.fetch_add(16, Ordering::Relaxed))
}

fn events<T>(with: impl FnOnce(&mut HashMap<usize, Option<Instant>>) -> T) -> T {
    with(&mut EVENTS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, _flags: c_uint) -> Status {
    // SAFETY: the contract of this module.
    unsafe { give(stream, device().sound().map(|()| handle())) }
}

/// A stream.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut Handle,
    flags: c_uint,
    _priority: c_int,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe { cuStreamCreate(stream, flags) }
}

/// Does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamDestroy_v2(_stream: Handle) -> Status {
    Status::SUCCESS
}

/// All is done already; an error if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamSynchronize(_stream: Handle) -> Status {
    status(device().sound())
}

/// All is done already.
#[unsafe(no_mangle)]
pub extern "C" fn cuStreamWaitEvent(_stream: Handle, _event: Handle, _flags: c_uint) -> Status {
    status(device().sound())
}

/// An event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventCreate(event: *mut Handle, _flags: c_uint) -> Status {
    let new = handle();
    events(|events| events.insert(new.addr(), None));
    // SAFETY: the contract of this module.
    unsafe { give(event, Ok(new)) }
}

/// Forgets an event.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventDestroy_v2(event: Handle) -> Status {
    let known = events(|events| events.remove(&event.addr()));
    status(known.map(|_| ()).ok_or(Status::INVALID_HANDLE))
}

/// Notes the time.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventRecord(event: Handle, _stream: Handle) -> Status {
    let known =
        events(|events| events.get_mut(&event.addr()).map(|time| *time = Some(Instant::now())));
    status(known.ok_or(Status::INVALID_HANDLE).and_then(|()| device().sound()))
}

/// All is done already; an error if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventSynchronize(_event: Handle) -> Status {
    status(device().sound())
}

/// All is done already; an error if it failed.
#[unsafe(no_mangle)]
pub extern "C" fn cuEventQuery(_event: Handle) -> Status {
    status(device().sound())
}

/// Milliseconds between two events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime(
    to: *mut c_float,
    start: Handle,
    end: Handle,
) -> Status {
    let time = |event: Handle| events(|events| events.get(&event.addr()).copied().flatten());
    let between = match (time(start), time(end)) {
        (Some(start), Some(end)) => Ok(end.saturating_duration_since(start).as_secs_f32() * 1e3),
        _ => Err(Status::INVALID_HANDLE),
    };
    // SAFETY: the contract of this module.
    unsafe { give(to, between) }
}

/// Milliseconds between two events.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuEventElapsedTime_v2(
    to: *mut c_float,
    start: Handle,
    end: Handle,
) -> Status {
    // SAFETY: the contract of this module.
    unsafe { cuEventElapsedTime(to, start, end) }
}
