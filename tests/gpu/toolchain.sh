# Sourced by the scripts beside it: what builds CubeCL's CUDA runtime, and looks into its kernels, on a
# machine without CUDA. Everything comes from Python's package index and lies in target/gpu.
#
# CubeCL 0.11 turns kernels into PTX by LLVM, which is linked into the program. The build script of
# tracel-llvm-bundler takes an LLVM that lies in $XDG_DATA_HOME/tracel/tracel-llvm-VERSION beside a file
# .tracel-llvm-installed, and downloads one otherwise. The wheels mlc-llvm-static hold the same libraries
# (LLVM 23.1; NVPTX is in the extra targets). libdevice has the mathematical functions that PTX has no
# instruction for (burn's `exp`, say; no kernel of burn-descent calls one), and ptxas says how many registers
# a kernel takes.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
gpu=$root/target/gpu
llvm=23.1.1.post0
cuda=13.0.88

if [ ! -e "$gpu/python/nvidia/cu13/bin/ptxas" ]; then
    python3 -m pip install --quiet --no-deps --target "$gpu/python" "mlc-llvm-static==$llvm" \
        "mlc-llvm-static-extra-targets==$llvm" "nvidia-nvvm==$cuda" "nvidia-cuda-nvcc==$cuda"
fi
sdk=$gpu/python/mlc_llvm_static/static
chmod +x "$sdk/bin/llvm-config"
# An old date: the build script runs again, and all that depends on LLVM is built anew, when the file is newer.
touch -d 2000-01-01 "$sdk/.tracel-llvm-installed"
bundler=$(grep -A1 'name = "tracel-llvm-bundler"' "$root/Cargo.lock" | sed -n 's/^version = "\(.*\)"/\1/p')
mkdir -p "$gpu/data/tracel"
ln -sfn "$sdk" "$gpu/data/tracel/tracel-llvm-$bundler"

export XDG_DATA_HOME=$gpu/data
# Where libdevice and ptxas are looked for.
export CUDA_PATH=$gpu/python/nvidia/cu13
# Bindings of the driver that is asked for at least; without this, of the newest CUDA there is.
export CUDARC_CUDA_VERSION=${CUDARC_CUDA_VERSION:-13000}

# The build for a card, which check.sh takes to the emulator.
release=(--release --package burn-descent-tests --no-default-features)
