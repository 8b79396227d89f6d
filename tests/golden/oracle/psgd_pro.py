"""PSGD-Pro: factors that learn by descent and are turned towards symmetric ones; products alone."""

import numpy as np

from axes import along, gram

TINY = np.finfo(np.float64).tiny


def bound(a, rows, skew, draw):
    """A lower bound of the largest singular value, by power iteration from random rows."""
    largest = np.abs(a).max() if skew else np.diag(a).max()
    largest = largest + TINY
    a = a / largest
    v = draw((rows, len(a)))
    r = a[np.argmax(np.sum(a**2, axis=1))]
    v = r + np.sign(v @ r)[:, None] * v
    for _ in range(2):
        v = v @ a
        v = v / (np.linalg.norm(v, axis=1, keepdims=True) + TINY)
        v = v @ a
    return largest * np.linalg.norm(v, axis=1).max()


def procrustes(q, draw):
    """A rotation of `q` that brings it closer to a symmetric matrix."""
    r = q.T - q
    r = r / (bound(r, 32, True, draw) + TINY)
    a = r @ q
    b = r @ a
    curvature = np.trace(b)
    most = 1 / 8
    by = np.clip(-np.trace(a) / curvature, 0.0, most) if curvature < 0 else most
    return q + by * (a + by / 2 * b)


class PsgdPro:
    DEFAULTS = {
        "lr": 0.02,
        "weight_decay": 0.01,
        "momentum": 0.9,
        "beta_lip": 0.9,
        "precond_lr": 0.1,
        "min_precond_lr": 0.01,
        "warmup_steps": 10000,
        "damping": 0.1,
        "precond_init_scale": 1.0,
        "max_update_rms": 0.0,
        "max_size": 8192,
    }

    def __init__(self, shape, h, draw):
        self.h, self.draw, self.t, self.m = h, draw, 0, np.zeros(shape)
        self.q = [h["precond_init_scale"] * np.eye(size) for size in shape]
        self.lipschitz = [1.0] * len(shape)

    def diagonal(self, size):
        return size == 1 or size > self.h["max_size"] or self.m.ndim < 2

    def whitened(self, tensor):
        for axis, q in enumerate(self.q):
            tensor = along(q.T @ q, tensor, axis)
        return tensor

    def learn(self, p, mu):
        """A step of each factor."""
        for axis, q in enumerate(self.q):
            c, of = p.size / len(q), gram(p, axis)
            diagonal = self.diagonal(len(q))
            if diagonal:
                of = np.diag(np.diag(of))
                ell = np.diag(of).max() + c
            else:
                ell = bound(of, 4, False, self.draw) + c
            beta = self.h["beta_lip"]
            self.lipschitz[axis] = max(beta * self.lipschitz[axis] + (1 - beta) * ell, ell)
            q = q - mu / self.lipschitz[axis] * (of @ q - c * q)
            self.q[axis] = q if diagonal else procrustes(q, self.draw)
        largest = [np.abs(q).max() for q in self.q]
        mean = np.exp(np.mean(np.log(largest)))
        self.q = [q * (mean / size) for q, size in zip(self.q, largest)]

    def step(self, w, g):
        h = self.h
        self.t += 1
        w = (1 - h["lr"] * h["weight_decay"]) * w
        self.m = h["momentum"] * self.m + (1 - h["momentum"]) * g
        falling = h["precond_lr"] / np.sqrt(1 + (self.t - 1) / h["warmup_steps"])
        noise = self.draw(self.m.shape)
        damped = self.m + (h["damping"] + 1e-7 * np.abs(self.m)) * noise
        self.learn(self.whitened(damped), max(h["min_precond_lr"], falling))
        u = self.whitened(self.m)
        if h["max_update_rms"] > 0:
            u = u * min(1.0, h["max_update_rms"] / np.sqrt(np.mean(u**2)))
        return w - h["lr"] * u
