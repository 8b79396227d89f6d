"""Sequences of gradients that depend on nothing, and where the weights start.

Every number is a multiple of a power of two, so that it is the same in f32 and f64, and its text compresses.
"""

import numpy as np

STEPS = 10


def generator(seed):
    """The random numbers of a seed: PCG64, whose stream numpy promises to keep."""
    return np.random.Generator(np.random.PCG64(seed))


def start(shape):
    """Weights between -1/2 and 1/2 in a pattern of period 17, some of them zero."""
    row_length = shape[-1]
    index = np.arange(int(np.prod(shape)))
    return (((5 * index + 3 * (index // row_length)) % 17 - 8) / 16.0).reshape(shape)


def noisy(shape, seed, grid):
    """A common drift and noise, of a size that changes from step to step, in multiples of 1 / `grid` up to 4."""
    random = generator(seed)
    drift = random.standard_normal(shape)
    gradients = []
    for t in range(STEPS):
        g = (0.6 + 0.15 * (t % 4)) * (0.8 * drift + random.standard_normal(shape))
        gradients.append(np.clip(np.round(g * grid) / grid, -4.0, 4.0))
    return gradients


def rank_one(size, seed):
    """The products of one column and a row of each step, exact: both are multiples of 1 / 8."""
    random = generator(seed)
    u = random.permutation(np.arange(1, size + 1)) * random.choice([-1, 1], size) / 8.0
    rows = [random.integers(1, 21, size) * random.choice([-1, 1], size) / 8.0 for _ in range(STEPS)]
    return [np.outer(u, v) for v in rows]


def problems():
    """All of them: name -> (start, gradients). The large ones are on a coarser grid, to be small in a file."""
    made = {
        "tall": noisy((64, 48), 1, 4),
        "wide": noisy((48, 64), 2, 4),
        "row": noisy((1, 16), 3, 64),
        "rank1": rank_one(12, 4),
        "sq": noisy((12, 12), 5, 64),
        "conv": noisy((8, 4, 3, 3), 6, 64),
    }
    return {name: (start(gradients[0].shape), gradients) for name, gradients in made.items()}
