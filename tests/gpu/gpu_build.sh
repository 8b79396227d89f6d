#!/usr/bin/env bash
# Builds, on a machine without CUDA, what gpu_check.sh needs on a machine with an NVIDIA GPU.
#
#   tests/gpu/gpu_build.sh [--fusion]     # 24 minutes on two cores the first time, then a few
#
# Makes the folder .gpu, about 40 MB, to be carried to that machine, and runs nothing. There neither Rust
# nor CUDA is needed, only a driver: bash .gpu/gpu_check.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
features=cuda
case ${1:-} in
'') ;;
--fusion) features=cuda,fusion ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' tests/gpu/gpu_build.sh; exit 2 ;;
esac
. tests/gpu/toolchain.sh
export CARGO_TARGET_DIR=$gpu/target
out=$root/.gpu
pack=$gpu/pack
mkdir -p "$out"

# One command, so that burn is compiled once: two suites, and with them the package's programs.
cargo test --no-run "${release[@]}" --features "$features" --test conformance --test launches \
    --message-format=json > "$gpu/messages.json"
rm -rf "$pack"
mkdir -p "$pack/cuda/nvvm/libdevice"
python3 - "$gpu/messages.json" <<'PY' | while read -r name path; do strip -o "$pack/$name" "$path"; done
import json, sys
for line in open(sys.argv[1]):
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message.get("executable"):
        if message["target"]["name"] in ("conformance", "launches"):
            print(message["target"]["name"], message["executable"])
PY
strip -o "$pack/speed" "$CARGO_TARGET_DIR/release/speed"
cp "$CUDA_PATH/nvvm/libdevice/libdevice.10.bc" "$pack/cuda/nvvm/libdevice/"
"$pack/speed" --print-lists > "$pack/lists.json"
# The suite reads its traces where it was built.
echo "$root" > "$pack/built_in"
git describe --always --dirty --abbrev=10 > "$pack/commit"

# The programs hold the same LLVM: one window over all of them halves what is carried.
python3 - "$pack" "$out/gpu.tar.xz" <<'PY'
import lzma, os, sys, tarfile
window = [{"id": lzma.FILTER_LZMA2, "preset": 3, "dict_size": 512 << 20}]
with lzma.open(sys.argv[2], "wb", filters=window) as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
    for name in sorted(os.listdir(sys.argv[1])):
        tar.add(f"{sys.argv[1]}/{name}", name)
PY
cp tests/gpu/gpu_check.sh tests/gpu/gpu_report.py tests/gpu/torch_gpu.py "$out/"
ls -l "$out"
echo "Carry the repository with .gpu to the machine with the GPU, and run there: bash .gpu/gpu_check.sh"
