"""What gpu_check.sh has found.

    python3 gpu_report.py laws FILE ...    # the outputs of the suite, a rule each
    python3 gpu_report.py times FOLDER     # speed_*.json and torch.json, beside the goals
"""

import collections
import json
import pathlib
import re
import sys


def laws(paths):
    held = collections.Counter()
    seen = set()  # the cases of `sgd` are among those of `accsgd` too
    failed = collections.defaultdict(list)
    not_ended = []
    for path in map(pathlib.Path, paths):
        text = path.read_text()
        if not re.search("^test result", text, re.MULTILINE):
            not_ended.append(path.stem)
        for case, ending in set(re.findall(r"^test (\S+/cuda/\S+)\s+\.\.\. (\w+)", text, re.MULTILINE)):
            if case in seen:
                continue
            seen.add(case)
            precision = case.split("/")[2]
            held[precision, ending] += 1
            if ending == "FAILED":
                failed["/".join(case.split("/")[2:])].append(case.split("/")[0])
    print("laws, by precision:")
    for (precision, ending), count in sorted(held.items()):
        print(f"  {precision:5} {ending:7} {count}")
    for law, rules in sorted(failed.items(), key=lambda item: -len(item[1])):
        print(f"  failed: {law}: {len(rules)} rules: {' '.join(sorted(rules)[:8])}")
    print(f"  not ended: {' '.join(not_ended) or 'none'}")


def rows(folder, pattern):
    for path in sorted(folder.glob(pattern)):
        try:
            yield from json.loads(path.read_text())["rows"]
        except (ValueError, KeyError):
            print(f"{path.name}: not readable")


def times(folder):
    torch = list(rows(folder, "torch.json"))
    copy = next((row["gb_per_s"] for row in torch if row["list"] == "copy"), float("nan"))
    fused = {row["list"]: row for row in torch if row["through"] == "fused"}
    peers = {(row["list"], row["optimizer"]): row for row in torch if row["through"] == "loop"}
    peers |= {(name, "adamw"): row for name, row in fused.items()}
    print(f"device copy: {copy:.0f} GB/s (read and written)")
    heads = ("ms", "GB/s", "of copy", "of torch", "burn-optim")
    print(f"{'list':9} {'optimizer':9} {'through':13} " + " ".join(f"{head:>10}" for head in heads))

    def line(row, optimizer, through, *rest):
        numbers = (f"{row['ms']:10.3f}", f"{row['gb_per_s']:10.0f}", f"{row['gb_per_s'] / copy:10.2f}")
        print(f"{row['list']:9} {optimizer:9} {through:13} " + " ".join((*numbers, *rest)))

    for row in torch:
        if row["list"] != "copy":
            line(row, row["optimizer"], f"torch {row['through']}", f"(queued: {row['stream_ms']:.3f} ms)")
    ours = list(rows(folder, "speed_*.json"))
    for row in ours:
        peer = peers.get((row["list"], row["optimizer"]))
        ratio = f"{row['ms'] / peer['ms']:10.2f}" if peer else " " * 10
        line(row, row["optimizer"], row["through"], ratio, f"{row['burn_ms']:10.3f}" if row["burn_ms"] else "")
    for row in ours:
        if row["list"] == "1g" and "1g" in fused:
            print(
                f"goal, 1 G by {row['through']}: {100 * row['gb_per_s'] / copy:.0f} % of a device copy (wanted: 85), "
                f"{row['ms'] / fused['1g']['ms']:.2f} of PyTorch's fused (wanted: 1.0)"
            )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["laws", *paths]:
            laws(paths)
        case ["times", folder]:
            times(pathlib.Path(folder))
        case _:
            sys.exit(__doc__)
