//! What is compiled for each rule: its passes, with vectors and without.
//!
//! They are methods of the rule because the compiler puts a method's code beside that of its type: so the code of each
//! rule is a unit of its own, and all cores make it. Generic functions alone would be one unit, made by one core.

use super::collect::{Collected, Tile, Wanted, collect};
use super::pass::{Given, States, pass};
use burn_descent_rules::{MAX_SUMS, Presence, Real, Rule};

/// The passes of a rule with the optional states in `P` and the optional scalars in `Q`.
pub(super) trait Run: Rule {
    /// One step of slices: see [`Pass`](super::pass::Pass).
    fn pass<P: Presence, Q: Presence, T: Real>(
        p: &mut [T],
        g: &[T],
        states: States<'_, T>,
        given: &Given<'_, T>,
        first: usize,
    ) {
        pass::<Self, P, Q, T>(p, g, states, given, first);
    }

    /// The sums of a stage: see [`Collect`](super::collect::Collect).
    fn collect<P: Presence, Q: Presence, T: Real + Into<f64>, const STAGE: u8>(
        tile: &Tile<'_, T>,
        given: &Given<'_, T>,
        wanted: &[Option<Wanted>; MAX_SUMS],
        to: &mut Collected,
    ) {
        collect::<Self, P, Q, T, STAGE>(tile, given, wanted, to);
    }

    /// Runs `pass` with AVX2 on an x86-64, elsewhere with the instructions that every processor of its kind has.
    ///
    /// Neither AVX-512 nor what was there before AVX2 is worth another copy of each pass: AdamW, Lion, LAMB and Adafactor
    /// take as long with either of the two on an EPYC that has both; an x86-64 without AVX2 steps by
    /// [tensor operations](has_vectors).
    #[inline(always)]
    fn with_vectors(pass: impl FnOnce()) {
        #[cfg(all(not(debug_assertions), target_arch = "x86_64"))]
        {
            assert!(has_vectors(), "an x86-64 without AVX2 steps by tensor operations");
            // SAFETY: `V3` is there only on a processor that has all of the instructions that `avx2` is compiled for.
            #[allow(unsafe_code)]
            unsafe {
                Self::avx2(pass);
            }
        }
        #[cfg(not(all(not(debug_assertions), target_arch = "x86_64")))]
        pass();
    }

    /// `pass`, compiled for these instructions.
    ///
    /// # Safety
    /// The processor has them: those of `pulp::x86::V3`, of pulp 0.22.
    #[cfg(all(not(debug_assertions), target_arch = "x86_64"))]
    #[allow(unsafe_code)]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2,f16c,lzcnt,movbe,popcnt")]
    unsafe fn avx2(pass: impl FnOnce()) {
        pass();
    }
}

impl<U: Rule> Run for U {}

/// Has this processor the instructions that the passes are compiled for? A build that makes no vectors runs everywhere.
pub(super) fn has_vectors() -> bool {
    #[cfg(all(not(debug_assertions), target_arch = "x86_64"))]
    let there = pulp::x86::V3::try_new().is_some();
    #[cfg(not(all(not(debug_assertions), target_arch = "x86_64")))]
    let there = true;
    there
}
