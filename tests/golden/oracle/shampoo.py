"""Shampoo with factors that are averages, and DASH."""

import numpy as np

from axes import along, gram, power


class Factors:
    """An average of the gradient's Gram matrix along each axis."""

    def __init__(self, shape, beta):
        self.beta, self.t = beta, 0
        self.of = [np.zeros((size, size)) for size in shape]

    def follow(self, g):
        self.t += 1
        for axis, factor in enumerate(self.of):
            self.of[axis] = self.beta * factor + (1 - self.beta) * gram(g, axis)

    def corrected(self, axis):
        return self.of[axis] / (1 - self.beta**self.t)


class Shampoo:
    DEFAULTS = {
        "lr": 0.02,
        "beta1": 0.0,
        "beta2": 0.95,
        "correct_bias": True,
        "root_eps": 1e-6,
        "exponent": 0,
        "precondition_frequency": 1,
        "graft": "none",
        "graft_beta2": 0.999,
        "graft_eps": 1e-8,
        "weight_decay": 0.0,
    }

    def __init__(self, shape, h, draw):
        self.h, self.factors, self.t = h, Factors(shape, h["beta2"]), 0
        self.m, self.v, self.roots = np.zeros(shape), np.zeros(shape), None

    def direction(self, m):
        """The average times the roots; nothing until there are roots."""
        if self.roots is None:
            return np.zeros_like(m)
        for axis, root in enumerate(self.roots):
            m = along(root, m, axis)
        return m

    def length(self, g, m):
        """How long the step of Adam is."""
        h = self.h
        self.v = h["graft_beta2"] * self.v + (1 - h["graft_beta2"]) * g**2
        v = self.v / (1 - h["graft_beta2"] ** self.t)
        return np.linalg.norm(m / (np.sqrt(v) + h["graft_eps"]))

    def step(self, w, g):
        h = self.h
        self.t += 1
        self.factors.follow(g)
        self.m = h["beta1"] * self.m + (1 - h["beta1"]) * g
        m = self.m / (1 - h["beta1"] ** self.t) if h["correct_bias"] else self.m
        if self.t % h["precondition_frequency"] == 0:
            exponent = -1.0 / (h["exponent"] or 2 * w.ndim)
            of = self.factors.corrected if h["correct_bias"] else self.factors.of.__getitem__
            self.roots = [power(of(axis), exponent, h["root_eps"]) for axis in range(w.ndim)]
        u = self.direction(m)
        if h["graft"] == "adam":
            u = u * self.length(g, m) / np.linalg.norm(u)
        return (1 - h["lr"] * h["weight_decay"]) * w - h["lr"] * u


def newton_roots(y, steps):
    """The square root of a matrix of a norm below 3, and its inverse, by products alone."""
    z, identity = np.eye(len(y)), np.eye(len(y))
    for _ in range(steps):
        e = 1.5 * identity - 0.5 * z @ y
        y, z = y @ e, e @ z
    return y, z


class Dash:
    """On whole matrices, with new roots in each step and the estimates of the scale that draw nothing."""

    DEFAULTS = {
        "lr": 0.02,
        "beta1": 0.9,
        "beta2": 0.95,
        "roots": "newton_db",
        "newton_steps": 10,
        "eps": 1e-8,
        "matrix_eps": 1e-10,
        "weight_decay": 0.0,
    }

    def __init__(self, shape, h, draw):
        self.h, self.factors, self.t = h, Factors(shape, h["beta2"]), 0
        self.m, self.v = np.zeros(shape), np.zeros(shape)

    def root(self, factor):
        a = factor + self.h["matrix_eps"] * np.eye(len(factor))
        if self.h["roots"] == "eigh":
            # To the eigenvalues it is added once more: so pytorch_optimizer's recorded run has it.
            return power(a, -0.25, self.h["matrix_eps"])
        s, steps = np.linalg.norm(a), self.h["newton_steps"]
        # The root of the scaled matrix is of a norm below 3 too, so that it is not scaled again.
        root, _ = newton_roots(a / s, steps)
        return newton_roots(root, steps)[1] * s**-0.25

    def step(self, w, g):
        h = self.h
        self.t += 1
        self.factors.follow(g)
        self.m = h["beta1"] * self.m + (1 - h["beta1"]) * g
        self.v = h["beta2"] * self.v + (1 - h["beta2"]) * g**2
        m, v = self.m / (1 - h["beta1"] ** self.t), self.v / (1 - h["beta2"] ** self.t)
        d = m / (np.sqrt(v) + h["eps"])
        left, right = (self.root(factor) for factor in self.factors.of)
        x = left @ m @ right
        x = x * np.linalg.norm(d) / np.linalg.norm(x)
        return (1 - h["lr"] * h["weight_decay"]) * w - h["lr"] * x
