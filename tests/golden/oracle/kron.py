"""PSGD-Kron: factors for the sides of a matrix, upper triangular, that learn to whiten the momentum."""

import numpy as np
from scipy.linalg import solve_triangular

from axes import along, gram

# What is added of random numbers: the root of the rounding of f32, in f64 too.
DAMPING = np.sqrt(2.0**-23)


def as_matrix(shape, merge):
    """What a tensor of more dimensions is seen as."""
    if len(shape) <= 2 or merge == "none":
        return tuple(shape)
    all_of = int(np.prod(shape))
    last, first = (all_of // shape[-1], shape[-1]), (shape[0], all_of // shape[0])
    if merge == "last":
        return last
    return min(first, last, key=lambda sides: max(sides) / min(sides))


def lower_bound(a):
    """A lower bound of the largest singular value of a symmetric matrix: a step of power iteration."""
    largest = np.abs(a).max()
    a = a / largest
    x = a @ a[:, np.argmax(np.sum(a**2, axis=0))]
    return largest * np.linalg.norm(a @ (x / np.linalg.norm(x)))


class Kron:
    DEFAULTS = {
        "lr": 0.02,
        "b1": 0.9,
        "weight_decay": 0.0,
        "probability": 1.0,
        "max_size_triangular": 8192,
        "merge": "closest",
        "precond_lr": 0.1,
        "precond_init_scale": 1.0,
    }

    def __init__(self, shape, h, draw):
        self.h, self.draw, self.t, self.since = h, draw, 0, 0
        self.shape = as_matrix(shape, h["merge"])
        self.m = np.zeros(self.shape)
        one = h["precond_init_scale"] ** (1 / len(self.shape))
        self.q = [one * np.eye(size) for size in self.shape]

    def diagonal(self, axis):
        size = self.shape[axis]
        return size == 1 or size > self.h["max_size_triangular"]

    def refresh(self, g):
        """The factors descend by one step each, all from the ones before."""
        v = self.draw(self.shape)
        g = g + DAMPING * np.abs(g).mean() * v
        a, b = g, v
        for axis, q in enumerate(self.q):
            a = along(q, a, axis)
            b = along(solve_triangular(q, np.eye(len(q))).T, b, axis)
        for axis, q in enumerate(self.q):
            aa, bb = gram(a, axis), gram(b, axis)
            if self.diagonal(axis):
                aa, bb = np.diag(np.diag(aa)), np.diag(np.diag(bb))
                bound = np.abs(aa + bb).max()
            else:
                bound = lower_bound(aa + bb)
            self.q[axis] = q - self.h["precond_lr"] / bound * np.triu(aa - bb) @ q
        return g

    def step(self, w, g):
        h = self.h
        self.t += 1
        self.m = h["b1"] * self.m + (1 - h["b1"]) * g.reshape(self.shape)
        u = self.m / (1 - h["b1"] ** self.t)
        self.since += 1
        if self.since >= 1 / h["probability"]:
            # What has been damped for the factors is what they multiply, too.
            u, self.since = self.refresh(u), 0
        for axis, q in enumerate(self.q):
            u = along(q.T @ q, u, axis)
        u = u * min(1.0, 1.1 / (np.sqrt(np.mean(u**2)) + 1e-12))
        return w - h["lr"] * (u.reshape(w.shape) + h["weight_decay"] * w)
