#!/usr/bin/env bash
# Packs the crates that are published, and looks at what is in them: nothing but sources, manifests, a README and the
# licences. `--build` then builds a project outside of the workspace on them, which trains, stops, resumes, and goes on
# with another backend. That takes as long as burn takes to build, twice.
set -euo pipefail
cd "$(dirname "$0")/../.."

crates=(burn-descent-rules burn-descent-engine burn-descent burn-descent-conformance)
target=${CARGO_TARGET_DIR:-$PWD/target}

cargo package -q --no-verify --allow-dirty "${crates[@]/#/-p}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for crate in "${crates[@]}"; do
    packed=$(ls "$target/package/$crate"-[0-9]*.crate)
    tar -xzf "$packed" -C "$folder"
    inside=$(tar -tzf "$packed" | cut -d/ -f2-)
    other=$(grep -vE '^(src/.*|Cargo\.(toml|toml\.orig|lock)|README\.md|LICENSE-(MIT|APACHE)|\.cargo_vcs_info\.json)$' <<< "$inside" || true)
    for file in README.md LICENSE-MIT LICENSE-APACHE Cargo.lock; do
        grep -qxF "$file" <<< "$inside" || { echo "$crate: $file is missing"; exit 1; }
    done
    [ -z "$other" ] || { printf '%s should not be in %s\n' "$other" "$crate"; exit 1; }
    printf '%-26s %4d files %5d KB\n' "$crate" "$(wc -l <<< "$inside")" $(($(stat -c %s "$packed") / 1024))
done
[ "${1-}" = --build ] || exit 0

cp -r tests/package/project "$folder/project"
cd "$folder/project"
export CARGO_TARGET_DIR="$target/outside"
run() { cargo run -q "$@" | tee -a /dev/stderr; }
loss() { sed -n 's/.*: loss //p'; }

# Weights are drawn anew in each process, so a run is compared with the rest of itself.
half=$(run -- 80 | loss)
cp run.bpk half.bpk
straight=$(run -- 150 | loss)
mv half.bpk run.bpk
first=$(run -- 100 | loss)
resumed=$(run -- 150 | loss)
[ "$resumed" = "$straight" ] || { echo "resumed $resumed, in one go $straight"; exit 1; }
other=$(run --no-default-features --features ndarray -- 200 | loss)
awk -v a="$half" -v b="$first" -v c="$resumed" -v d="$other" 'BEGIN { exit !(b < a && c < b && d <= c) }' ||
    { echo "the loss does not fall: $half, $first, $resumed, $other"; exit 1; }
echo "trained, resumed bit for bit, and went on with ndarray"
