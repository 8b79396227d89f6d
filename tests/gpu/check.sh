#!/usr/bin/env bash
# CUDA without a card: builds the CUDA backend, and runs the PTX of its kernels on an emulator.
#
#   tests/gpu/check.sh                    # every law of every optimizer
#   tests/gpu/check.sh --few              # those that differ, as in CI
#   tests/gpu/check.sh --fusion           # through burn's fusion
#   tests/gpu/check.sh adamw/cuda/bf16    # cases whose names contain this
#
# It is built as gpu_build.sh builds it, or, as in CI, in the dev profile with the features in FEATURES. See
# docs/gpu.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

fusion=
filters=()
all=1
for argument in "$@"; do
    case $argument in
    --few) all=0 ;;
    --fusion) fusion=,fusion ;;
    -*) sed -n '2,/^set/s/^# \{0,1\}//p' tests/gpu/check.sh; exit 2 ;;
    *) filters+=("$argument") ;;
    esac
done
[ ${#filters[@]} -gt 0 ] || filters=(/cuda/)
. tests/gpu/toolchain.sh
if [ -n "${FEATURES:-}" ]; then
    build=(--features "$FEATURES${fusion:+,burn-descent-tests/fusion}")
    export BURN_DEVICE=flex
else
    build=("${release[@]}" --features "cuda$fusion")
    export CARGO_TARGET_DIR=$gpu/target
fi
target=${CARGO_TARGET_DIR:-$root/target}

# Its own name, so that no program takes it for a driver by accident.
cargo build --quiet --package burn-descent-ptx
mkdir -p "$gpu/driver"
cp --remove-destination "$target/debug/libburn_descent_ptx.so" "$gpu/driver/libcuda.so"

export BURN_DESCENT_REQUIRE=cuda PTX_EMULATOR_REPORT=1
cuda() {
    LD_LIBRARY_PATH=$gpu/driver${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} "$@"
}

rm -rf "$gpu/ptx"
mkdir -p "$gpu/ptx"
PTX_EMULATOR_DUMP=$gpu/ptx cuda cargo test "${build[@]}" --test launches
cuda cargo test "${build[@]}" --test stores -- every_device
BURN_DESCENT_PTX=$gpu/ptx cargo test --package burn-descent-ptx --test kernels -- --nocapture
# Rules whose laws have not all been held on a GPU yet, or take too long: see docs/gpu.md.
mapfile -t not_yet < tests/gpu/not_yet
skip=()
[ $all = 1 ] || skip=("${not_yet[@]/#/--skip=}")
for filter in "${filters[@]}"; do
    [ $all = 0 ] || export BURN_DESCENT_ALL=1
    cuda cargo test "${build[@]}" --test conformance -- "$filter" --test-threads 2 "${skip[@]}"
done
