//! Running what may panic.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Is a panic of this thread expected, so that nothing is to be printed?
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Runs what may panic, and gives the text of its panic. Nothing is printed of it.
///
/// The hook that prints belongs to the process. It is wrapped once, the first time something is run
/// here, in one that asks whether the panic is expected in its own thread; from then on nothing is
/// exchanged any more, so threads cannot lose each other's hooks. One that is set later prints.
pub(super) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static WRAPPED: Once = Once::new();
    // A thread that is panicking cannot exchange the hook; another one will.
    if !std::thread::panicking() {
        WRAPPED.call_once(|| {
            let hook = take_hook();
            set_hook(Box::new(move |panic| {
                if !EXPECTED.get() {
                    hook(panic);
                }
            }));
        });
    }
    let before = EXPECTED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    EXPECTED.set(before);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panics").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn only_what_is_expected_is_quiet() {
        static PRINTED: AtomicUsize = AtomicUsize::new(0);
        set_hook(Box::new(|_| {
            PRINTED.fetch_add(1, Ordering::Relaxed);
        }));
        let refused: Result<(), String> = quietly(|| panic!("rank {}", 1));
        assert_eq!(refused, Err("rank 1".into()));
        assert_eq!(quietly(|| 7), Ok(7));
        assert_eq!(PRINTED.load(Ordering::Relaxed), 0);
        // In other threads, and here afterwards, a panic is printed as before.
        let elsewhere = || std::thread::spawn(|| panic!("unexpected")).join().is_err();
        assert_eq!(quietly(elsewhere), Ok(true));
        assert!(catch_unwind(|| panic!("unexpected")).is_err());
        assert_eq!(PRINTED.load(Ordering::Relaxed), 2);
    }
}
