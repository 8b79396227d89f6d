//! Panics of others as errors.

use std::any::Any;
use std::panic::{self, UnwindSafe};
use std::sync::{Arc, OnceLock};

/// What a function gives, or the first line of its panic's message. burn panics where a GPU has no
/// adapter, and does so in threads of its own: the first panic is the one that says why, and
/// nothing is printed.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T + UnwindSafe) -> Result<T, String> {
    let reason = Arc::new(OnceLock::new());
    let first = reason.clone();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let _ = first.set(line(panic.payload()));
    }));
    let result = panic::catch_unwind(f);
    panic::set_hook(hook);
    // burn's dashboard keeps a panic that its user asked for from the hook.
    result.map_err(|payload| reason.get().cloned().unwrap_or_else(|| line(&*payload)))
}

/// The first line of a panic's message.
fn line(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    text.and_then(|text| text.lines().next()).unwrap_or("no reason given").into()
}
