"""Dion2: of the momentum, the longest slices are made orthogonal, and then decay."""

import numpy as np

from orthogonal import NEWTON_SCHULZ, flattened, orthogonal, scale


class Dion2:
    DEFAULTS = {
        "lr": 0.02,
        "fraction": 0.25,
        "ef_decay": 0.95,
        "weight_decay": 0.01,
        "eps": 1e-8,
        "scale": "spectral",
    }
    # Its epsilon is added to the norm.
    ORTHOGONAL = {
        **NEWTON_SCHULZ,
        "coefficients": "polar_express_deployed",
        "safety": 1.02,
        "eps_added": True,
    }

    def __init__(self, shape, h, draw):
        self.h, self.m = h, np.zeros_like(flattened(np.zeros(shape)))
        self.orthogonal = {**self.ORTHOGONAL, "ns_eps": h["eps"]}

    def selected(self):
        """The numbers of the longest slices across the shorter side, by the sum of their sizes."""
        axis = 0 if self.m.shape[0] <= self.m.shape[1] else 1
        norms = np.abs(self.m).sum(axis=1 - axis)
        k = max(1, int(np.ceil(self.h["fraction"] * len(norms))))
        order = np.argsort(-norms, kind="stable")
        if k < len(norms):
            gap = norms[order[k - 1]] - norms[order[k]]
            # Sums of gradients are exact, so they may be equal; what is nearly so depends on rounding.
            assert gap == 0 or gap > 1e-9 * norms[order[0]], "which slice is longer is not determined"
        chosen = np.sort(order[:k])
        return (chosen, slice(None)) if axis == 0 else (slice(None), chosen)

    def step(self, w, g):
        h = self.h
        self.m = self.m + flattened(g)
        where = self.selected()
        x = orthogonal(self.m[where], self.orthogonal)
        self.m[where] *= h["ef_decay"]
        moved = (1 - h["lr"] * h["weight_decay"]) * flattened(w)
        moved[where] -= h["lr"] * scale(h["scale"], *moved.shape) * x
        return moved.reshape(w.shape)
