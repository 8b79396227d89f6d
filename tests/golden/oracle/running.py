"""One run of a method."""

import numpy as np

from cases import record
from problems import generator


class Draws:
    """Normal random numbers of one decimal, each of which is written down."""

    def __init__(self, seed):
        self.random, self.taken, self.step = generator(seed), [], 0

    def __call__(self, shape):
        values = np.round(self.random.standard_normal(shape), 1) + 0.0
        self.taken.append(
            {"step": self.step, "fn": "normal", "shape": list(shape), "values": values.ravel().tolist()}
        )
        return values


def flat(tensor, decimals):
    """The numbers of a tensor in row-major order, none of them a negative zero."""
    return (np.round(tensor, decimals).ravel() + 0.0).tolist()


def run(name, method, variant, given, problem, start, gradients, steps):
    """The case of a file: what was asked for, and where it led."""
    hyper = {**method.DEFAULTS, **given}
    draws = Draws(seed=1000 + variant)
    rule = method(start.shape, hyper, draws)
    w, recorded = start, record(problem, steps)
    params = []
    for t in range(steps):
        draws.step = t
        w = rule.step(w, gradients[t])
        if t + 1 in recorded:
            assert np.isfinite(w).all()
            params.append([flat(w, 11)])
    case = {
        "id": f"{name}/{variant}/{problem}",
        "problem": problem,
        "shapes": [list(start.shape)],
        "hyper_given": given,
        "hyper": hyper,
        "init": [flat(start, 6)],
        "steps": steps,
        "record": recorded,
        "params": params,
    }
    return {**case, "draws": draws.taken} if draws.taken else case
