#!/usr/bin/env bash
# Miri over the `unsafe` that it can run: what a CPU does in the leaf of a parameter and, in the second part, the
# passes as they are compiled for AVX2. It needs a nightly toolchain with the components miri and rust-src.
# The result of the last run is in docs/book/src/trust.md.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/miri
# Stacked Borrows stops in crossbeam, under rayon. Files and the number of threads are looked at.
export MIRIFLAGS="-Zmiri-tree-borrows -Zmiri-disable-isolation -Zmiri-ignore-leaks"

miri() {
    cargo +nightly miri test "$@"
}

# A leaf that is changed where it lies, and a walk down real gradients, of a model of which clones are held.
walk=(-p burn-descent --no-default-features --features flex --lib -- the_model_and_the_walk_stay_as_they_are)
miri -p burn-descent-engine --lib -- cpu::
miri "${walk[@]}"

# Without debug assertions the passes are those of a release: for AVX2, which Miri has if it is told.
export RUSTFLAGS="-C target-feature=+avx2,+fma,+bmi1,+bmi2,+f16c,+lzcnt,+movbe,+popcnt -C debug-assertions=off"
miri "${walk[@]}"
