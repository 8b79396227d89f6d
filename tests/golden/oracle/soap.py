"""SOAP in the order of its authors, and KL-SOAP."""

import numpy as np

from axes import along, gram


def merged(shape, largest):
    """The shape with neighbouring axes made one as long as that is no larger."""
    sizes, current = [], 1
    for size in shape:
        if current * size <= largest:
            current *= size
        else:
            sizes += [current] if current > 1 else []
            current = size
    return sizes + [current]


class Soap:
    DEFAULTS = {
        "lr": 0.02,
        "beta1": 0.95,
        "beta2": 0.95,
        "shampoo_beta": 0.95,
        "eps": 1e-8,
        "weight_decay": 0.01,
        "precondition_frequency": 10,
        "max_precondition_dim": 10000,
        "merge_dims": False,
        "correct_bias": True,
        "normalize_gradient": False,
        "kl": False,
        "kl_eps": 1e-8,
    }

    def __init__(self, shape, h, draw):
        largest = h["max_precondition_dim"]
        shape = merged(shape, largest) if h["merge_dims"] else shape
        self.h, self.shape, self.t = h, shape, -1
        self.m, self.v = np.zeros(shape), np.zeros(shape)
        self.axes = [axis for axis, size in enumerate(shape) if size <= largest]
        self.factors = {axis: np.zeros((shape[axis],) * 2) for axis in self.axes}
        self.q = None

    def rotated(self, tensor, back=False):
        for axis in self.axes:
            tensor = along(self.q[axis] if back else self.q[axis].T, tensor, axis)
        return tensor

    def seen(self, g, axis):
        """What a factor is an average of."""
        if not self.h["kl"]:
            return gram(g, axis)
        assert len(self.shape) == 2 and len(self.axes) == 2, "no source says it of other tensors"
        other = 1 - axis
        if self.q is not None:
            q, factor = self.q[other], self.factors[other]
            spread = np.maximum(np.diag(q.T @ factor @ q), self.h["kl_eps"])
            g = along((q / np.sqrt(spread)).T, g, other)
        return gram(g, axis) / self.shape[other]

    def follow(self, g):
        """Brings the factors forward, all from the ones before."""
        beta = self.h["shampoo_beta"]
        self.factors = {
            axis: beta * self.factors[axis] + (1 - beta) * self.seen(g, axis) for axis in self.axes
        }

    def refresh(self):
        """One step of orthogonal iteration, columns in the order of their eigenvalues."""
        for axis in self.axes:
            factor, q = self.factors[axis], self.q[axis]
            order = np.argsort(-np.diag(q.T @ factor @ q), kind="stable")
            self.v = np.take(self.v, order, axis)
            self.q[axis] = np.linalg.qr(factor @ q[:, order])[0]

    def step(self, w, g):
        h = self.h
        g = g.reshape(self.shape)
        self.t += 1
        if self.t == 0:
            self.follow(g)
            self.q = {}
            for axis in self.axes:
                values, vectors = np.linalg.eigh(self.factors[axis])
                gaps = np.diff(np.concatenate([[0.0], values])) / values[-1]
                assert gaps.min() > 1e-6, f"the eigenvectors of axis {axis} are not determined"
                self.q[axis] = vectors[:, ::-1]
            return w
        self.m = h["beta1"] * self.m + (1 - h["beta1"]) * g
        self.v = h["beta2"] * self.v + (1 - h["beta2"]) * self.rotated(g) ** 2
        u = self.rotated(self.m) / (np.sqrt(self.v) + h["eps"])
        u = self.rotated(u, back=True)
        if h["correct_bias"]:
            u = u * np.sqrt(1 - h["beta2"] ** self.t) / (1 - h["beta1"] ** self.t)
        if h["normalize_gradient"]:
            u = u / (np.sqrt(np.mean(u**2)) + 1e-30)
        w = w - h["lr"] * u.reshape(w.shape)
        w = w - h["lr"] * h["weight_decay"] * w
        self.follow(g)
        if self.t % h["precondition_frequency"] == 0:
            self.refresh()
        return w
