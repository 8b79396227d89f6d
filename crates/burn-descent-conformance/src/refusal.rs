//! Panics that are asked for.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics that a law asks for out of the output.
pub fn hide_expected_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !EXPECTED.get() {
            hook(info);
        }
    }));
}

/// The message with which `refused` panics.
pub(crate) fn refusal<T>(refused: impl FnOnce() -> T) -> String {
    EXPECTED.set(true);
    let result = catch_unwind(AssertUnwindSafe(refused));
    EXPECTED.set(false);
    let panic = result.err().expect("it should be refused");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string())).expect("a message")
}
