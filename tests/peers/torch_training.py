"""Where the seconds of a training go in PyTorch: the peer of `lab stopwatch`.

Needs torch and numpy (pip install torch numpy). The same network (784-128-64-10), the same number
of examples (four fifths of the 10,000 test digits of MNIST), batches of 64, 12 epochs of Adam:

    python tests/peers/torch_training.py DIR --threads 1 2
    cargo run --release --bin lab -- stopwatch --data DIR --threads 1

DIR holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz.
"""

import argparse
import gzip
import pathlib
import sys
import time

try:
    import numpy
    import torch
except ImportError:
    sys.exit("torch and numpy are not both installed: pip install torch numpy")


def read(directory, name, header):
    with gzip.open(pathlib.Path(directory) / name) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=header)


def train(inputs, targets, epochs, batch_size, implementation):
    """Seconds of forward, backward and step, and the mean loss of the last epoch."""
    torch.manual_seed(0)
    widths = [784, 128, 64, 10]
    layers = [torch.nn.Linear(*pair) for pair in zip(widths, widths[1:])]
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **implementation)
    seconds = [0.0, 0.0, 0.0]
    for _ in range(epochs):
        losses = []
        for batch in torch.randperm(len(inputs)).split(batch_size):
            x, y = inputs[batch], targets[batch]
            times = [time.perf_counter()]
            loss = torch.nn.functional.cross_entropy(model(x), y)
            times.append(time.perf_counter())
            loss.backward()
            times.append(time.perf_counter())
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            times.append(time.perf_counter())
            losses.append(loss.detach())
            seconds = [sum_ + after - before for sum_, before, after in zip(seconds, times, times[1:])]
    return seconds, torch.stack(losses).mean().item()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="where the files of MNIST are")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", nargs="*", type=int, default=[torch.get_num_threads()])
    arguments = parser.parse_args()
    images = read(arguments.data, "t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784)
    labels = read(arguments.data, "t10k-labels-idx1-ubyte.gz", 8)
    count = len(images) * 4 // 5
    inputs = torch.tensor(images[:count], dtype=torch.float32) / 255
    targets = torch.tensor(labels[:count], dtype=torch.int64)

    row = "{:<8} {:>7} {:>8} {:>8} {:>9} {:>7} {:>10}".format
    print(row("adam", "threads", "seconds", "forward", "backward", "step", "last loss"))
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for name, how in [("loop", {"foreach": False}), ("foreach", {"foreach": True}), ("fused", {"fused": True})]:
            parts, loss = train(inputs, targets, arguments.epochs, arguments.batch_size, how)
            cells = [f"{sum(parts):.2f}", *(f"{part:.2f}" for part in parts), f"{loss:.4f}"]
            print(row(name, threads, *cells))


if __name__ == "__main__":
    main()
