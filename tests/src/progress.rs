//! How far a long list of cases has come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// How often it is told.
const PARTS: usize = 20;

/// Counts cases as they end, and tells now and then how many there are still, and how long they will take.
#[derive(Debug)]
pub struct Progress {
    of: usize,
    done: AtomicUsize,
    begin: Instant,
}

impl Progress {
    /// Before the first of so many cases.
    pub fn new(of: usize) -> Self {
        Self { of, done: AtomicUsize::new(0), begin: Instant::now() }
    }

    /// One more has ended. On the standard error output, where it does not mix with what tests print.
    pub fn one_more(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(line) = line(done, self.of, self.begin.elapsed().as_secs_f64()) {
            eprintln!("\n{line}");
        }
    }
}

/// What is told after so many cases; nothing between two parts. The cases to come are taken to be as long as those
/// before.
fn line(done: usize, of: usize, seconds: f64) -> Option<String> {
    let part = |done: usize| done * PARTS / of.max(1);
    if of < PARTS || part(done) == part(done - 1) {
        return None;
    }
    let left = seconds * (of - done) as f64 / done as f64;
    let left = match left {
        ..90.0 => format!("{left:.0} s"),
        _ => format!("{:.0} min", left / 60.0),
    };
    Some(format!("{done} of {of} cases in {seconds:.0} s, about {left} left"))
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn twenty_lines_say_how_much_is_left() {
        let lines: Vec<_> =
            (1..=5045).filter_map(|done| line(done, 5045, done as f64 / 10.0)).collect();
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[0], "253 of 5045 cases in 25 s, about 8 min left");
        assert_eq!(lines[18], "4793 of 5045 cases in 479 s, about 25 s left");
        assert_eq!(lines[19], "5045 of 5045 cases in 504 s, about 0 s left");
        assert!((1..20).all(|done| line(done, 19, 1.0).is_none()), "few cases need no word");
    }
}
