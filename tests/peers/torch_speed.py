"""Time one step of PyTorch's AdamW, Adam, SGD and friends on the parameter lists of `speed`.

Needs torch (pip install torch); everything else is in Python. The lists come from our program, so
that both have the same ones:

    cargo run --release --bin speed -- --print-lists > lists.json
    python tests/peers/torch_speed.py lists.json --threads 1 2
    cargo run --release --bin speed -- --threads 1
    cargo run --release --bin speed -- --threads 2

Gradients are made before the clock starts and freed while it runs, or afterwards with --resident, as
`speed` does it. The columns are those of `speed`; `through` is PyTorch's implementation: loop, foreach
or fused. Muon takes lists of matrices alone: --list matrix gpt2_hidden.
"""

import argparse
import json
import math
import statistics
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("torch is not installed: pip install torch")

WARM = 3

# Our name, PyTorch's class, its options, and the states that it keeps of a weight.
OPTIMIZERS = [
    ("adamw", torch.optim.AdamW, {"lr": 1e-3}, 2),
    ("adam", torch.optim.Adam, {"lr": 1e-3}, 2),
    ("sgd", torch.optim.SGD, {"lr": 1e-3}, 0),
    ("adagrad", torch.optim.Adagrad, {"lr": 1e-3}, 1),
    ("rmsprop", torch.optim.RMSprop, {"lr": 1e-3}, 1),
    ("adafactor", torch.optim.Adafactor, {"lr": 1e-2}, 0),
    ("muon", torch.optim.Muon, {"lr": 1e-3}, 1),
]

IMPLEMENTATIONS = [
    ("loop", {"foreach": False}),
    ("foreach", {"foreach": True}),
    ("fused", {"fused": True}),
]


def measure(shapes, make, options, steps, resident):
    """The median time of a step in milliseconds; None if PyTorch has no such implementation."""
    parameters = [torch.nn.Parameter(torch.ones(shape)) for shape in shapes]
    try:
        optimizer = make(parameters, **options)
    except (RuntimeError, TypeError):
        return None
    taken = []
    for step in range(WARM + steps):
        for parameter in parameters:
            parameter.grad = torch.full_like(parameter, 0.5)
        kept = [parameter.grad for parameter in parameters] if resident else None
        start = time.perf_counter()
        try:
            optimizer.step()
        except RuntimeError:
            return None
        optimizer.zero_grad(set_to_none=True)
        if step >= WARM:
            taken.append(1e3 * (time.perf_counter() - start))
        del kept
    return statistics.median(taken)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lists", help="what `speed --print-lists` printed")
    parser.add_argument("--list", nargs="*", help="these lists alone")
    parser.add_argument("--optimizer", nargs="*", default=["adamw"], help="default: adamw")
    parser.add_argument("--threads", nargs="*", type=int, default=[torch.get_num_threads()])
    parser.add_argument("--steps", type=int, default=30, help="steps that count, default 30")
    parser.add_argument("--resident", action="store_true", help="free gradients when the clock has stopped")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    with open(arguments.lists, encoding="utf-8") as file:
        lists = json.load(file)

    rows = []
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for name, shapes in lists.items():
            if arguments.list and name not in arguments.list:
                continue
            for optimizer, make, options, states in OPTIMIZERS:
                if optimizer not in arguments.optimizer:
                    continue
                # Muon has one implementation, and does not know these words.
                known = make is not torch.optim.Muon
                for through, how in IMPLEMENTATIONS if known else [("default", {})]:
                    ms = measure(shapes, make, {**options, **how}, arguments.steps, arguments.resident)
                    if ms is None:
                        continue
                    moved = 4 * (3 + 2 * states) * sum(map(math.prod, shapes))
                    rows.append(
                        {
                            "list": name,
                            "optimizer": optimizer,
                            "backend": f"torch {torch.__version__}",
                            "through": through,
                            "threads": threads,
                            "ms": ms,
                            "gb_per_s": moved / ms / 1e6,
                        }
                    )
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return
    columns = ["list", "optimizer", "backend", "threads", "through", "ms", "gb_per_s"]
    text = [[f"{row[c]:.3f}" if isinstance(row[c], float) else str(row[c]) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in [columns, *text]) for i in range(len(columns))]
    for line in [columns, *text]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


if __name__ == "__main__":
    main()
