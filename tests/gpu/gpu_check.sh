#!/usr/bin/env bash
# Checks and times the kernels on a machine with an NVIDIA GPU, with what gpu_build.sh has made.
#
#   bash .gpu/gpu_check.sh [SECONDS]      # 540 unless told otherwise
#
# First what is right: a few steps, launches, norms, one rule in every precision. Then times, with nothing
# else on the device, beside PyTorch's if it is there. Then every law of every rule for as long as is left.
# RULES="adamw lion" holds these only; SPEED=none times nothing, SPEED=matrices products of matrices only. The results lie in $OUT (.gpu/out):
# report.txt, log, and all.tar.gz with everything else.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
limit=${1:-540}
began=$SECONDS
OUT=${OUT:-$here/out}
w=${GPU_CHECK_DIR:-$(mktemp -d)}
mkdir -p "$OUT" "$w"
exec > >(tee "$OUT/log") 2>&1

say() { printf '[%3d s] %s\n' $((SECONDS - began)) "$*"; }
# Runs a command for $1 seconds at most, and leaves $2 for what comes after it.
at_most() {
    local seconds=$1 left=$((limit - (SECONDS - began) - $2))
    shift 2
    [ "$left" -ge 1 ] || left=1
    timeout $((left < seconds ? left : seconds)) "$@"
}

unpack='import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])'
python3 -c "$unpack" "$here/gpu.tar.xz" "$w" || exit 2
say "unpacked $(cat "$w/commit")"
built=$(cat "$w/built_in")
[ -e "$built" ] || { mkdir -p "$(dirname "$built")" && ln -s "$root" "$built"; }
export CUDA_PATH=$w/cuda BURN_DESCENT_REQUIRE=cuda BURN_DESCENT_ALL=1
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}:/usr/local/nvidia/lib64:/usr/local/nvidia/lib
nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.max.mem --format=csv,noheader || say "no nvidia-smi"
ldd "$w/speed" | grep 'not found' && exit 2
cd "$w"

# 1. Does it run at all?
mkdir -p ptx
CUBECL_CUDA_DUMP_PTX=$w/ptx at_most 60 0 \
    ./speed --backend cuda --list few,1m --steps 3 --through passes,descent,clip_norm
smoke=$?
say "a few steps: exit $smoke"
[ $smoke = 0 ] || { at_most 30 0 ./conformance required/cuda; exit 1; }

# 2. What a software device could be wrong about, first of all.
first() {
    at_most 45 0 "$@" > "$w/first.txt" 2>&1
    say "$*: $(grep '^test result' "$w/first.txt" | cut -c1-70)"
    grep -E '^    [a-z0-9_]+(/cuda|$)' "$w/first.txt" | head -5
    grep -E 'panicked|assertion' "$w/first.txt" | head -5
}
first ./launches
for filter in "norm/cuda --skip adanorm/" adamw/cuda/bf16 adamw/cuda/f64/golden lion/cuda/f32; do
    first ./conformance $filter
done

# 3. Times.
speed() {
    local name=$1
    shift
    at_most 45 200 ./speed --backend cuda --json "$@" > "$OUT/speed_$name.json" 2> "$w/err" && { say "speed $name"; return; }
    say "speed $name failed: $(tail -3 "$w/err" | tr '\n' ' ' | cut -c1-300)"
    rm -f "$OUT/speed_$name.json"
}
# What is timed: nothing, products of matrices, or all.
case ${SPEED:-all} in
none) lists= ;;
matrices) lists="gpt2_hidden matrix" ;;
all) lists="1g 10m resnet50 gpt2 gpt2_hidden matrix mlp small" ;;
esac
if [ -n "$lists" ]; then
    at_most 120 200 python3 "$here/torch_gpu.py" lists.json --list $lists --json \
        > "$OUT/torch.json" 2> "$w/err" || say "PyTorch failed: $(tail -2 "$w/err" | tr '\n' ' ')"
    say "PyTorch"
    speed muon --list gpt2_hidden,matrix --optimizer muon --through passes,products --steps 10
fi
if [ "${SPEED:-all}" = all ]; then
    for list in 10m resnet50 gpt2 mlp; do
        speed $list --list $list --through passes,nothing,module,descent,clip_norm --steps 30
    done
    speed small --list small --through passes,descent --steps 5
    speed 1g --list 1g --through passes --steps 10
    speed 1g_descent --list 1g --through descent --steps 10
    for list in 10m resnet50 gpt2 mlp; do
        speed burn_$list --list $list --through descent,burn --steps 10
    done
    # A rule without states moves 12 of AdamW's 28 bytes, and small tensors move nothing: the rest is the host's.
    speed sgd --list resnet50,small --optimizer sgd --through passes --steps 20
fi

# 4. Every law of every rule in every precision, twelve rules at a time.
rules=$(echo ${RULES:-$(./conformance --list /cuda/ 2>/dev/null | sed -n 's#^\([a-z0-9_]*\)/cuda/.*#\1#p' | sort -u)})
say "$(echo "$rules" | wc -w) rules"
mkdir -p laws
end=$(($(date +%s) + limit - (SECONDS - began) - 15))
one() {
    local left=$((end - $(date +%s)))
    # A filter is a part of a name: `adam` is one of `radam`.
    local rule=$1 other skip=()
    for other in $rules; do
        case $other in ?*"$rule") skip+=(--skip "$other/cuda/") ;; esac
    done
    timeout $((left > 1 ? left : 1)) ./conformance "$rule/cuda/" "${skip[@]}" --test-threads 2 > "laws/$rule.txt" 2>&1
}
export -f one
export end rules
echo "$rules" | tr ' ' '\n' | xargs -P 12 -I{} bash -c 'one {}'
say "laws"
{
    python3 "$here/gpu_report.py" laws laws/*.txt
    python3 "$here/gpu_report.py" times "$OUT"
} | tee "$OUT/report.txt"
mv "$OUT"/speed_*.json . 2> /dev/null
tar czf "$OUT/all.tar.gz" laws ptx $(ls speed_*.json 2> /dev/null)
say "done"
