"""Muon; NorMuon and AdaMuon, which divide its step; and Scion, whose step has a length by the layer."""

import numpy as np

from orthogonal import NEWTON_SCHULZ, flattened, orthogonal, scale


def decayed(w, h, step=None):
    """The weights after their decay; with `cautious_decay` only where step and weight have one sign."""
    share = h["lr"] * h["weight_decay"]
    if h.get("cautious_decay"):
        return np.where(step * w >= 0, (1 - share) * w, w)
    return (1 - share) * w


class Momentum:
    """The momentum of Muon, in the forms that libraries have."""

    def __init__(self, shape, h):
        self.h, self.m, self.t = h, np.zeros(shape), 0

    def follow(self, g):
        h, mu = self.h, self.h["momentum"]
        self.t += 1
        if h["form"] == "heavy_ball":
            self.m = mu * self.m + g
            return mu * self.m + g if h["nesterov"] else self.m
        self.m = mu * self.m + (1 - mu) * g
        if h["form"] == "corrected":
            # Without nesterov no source here says what the correction is.
            assert h["nesterov"]
            ahead, now = 1 - mu ** (self.t + 1), 1 - mu**self.t
            return mu * self.m / ahead + (1 - mu) * g / now
        return mu * self.m + (1 - mu) * g if h["nesterov"] else self.m


class Muon:
    DEFAULTS = {
        "lr": 0.02,
        "momentum": 0.95,
        "nesterov": True,
        "form": "average",
        "scale": "original",
        "weight_decay": 0.1,
        "cautious_decay": False,
        **NEWTON_SCHULZ,
    }

    def __init__(self, shape, h, draw):
        self.h, self.momentum = h, Momentum(flattened(np.zeros(shape)).shape, h)

    def step(self, w, g):
        u = self.momentum.follow(flattened(g))
        x = self.h["lr"] * scale(self.h["scale"], *u.shape) * orthogonal(u, self.h)
        x = x.reshape(w.shape)
        return decayed(w, self.h, x) - x


class NorMuon:
    DEFAULTS = {
        "lr": 0.02,
        "momentum": 0.95,
        "nesterov": True,
        "form": "average",
        "beta2": 0.95,
        "axis": "rows",
        "eps": 1e-10,
        "keep_norm": True,
        "scale": "original",
        "weight_decay": 0.0,
        **NEWTON_SCHULZ,
    }

    def __init__(self, shape, h, draw):
        self.h, self.momentum = h, Momentum(flattened(np.zeros(shape)).shape, h)
        outputs, inputs = flattened(np.zeros(shape)).shape
        columns = h["axis"] == "columns" or h["axis"] == "longer" and inputs > outputs
        # Over which dimension a mean is taken.
        self.along = 0 if columns else 1
        self.v = np.zeros((1, inputs) if columns else (outputs, 1))

    def step(self, w, g):
        h = self.h
        x = orthogonal(self.momentum.follow(flattened(g)), h)
        mean = np.mean(x**2, axis=self.along, keepdims=True)
        self.v = h["beta2"] * self.v + (1 - h["beta2"]) * mean
        y = x / (np.sqrt(self.v) + h["eps"])
        if h["keep_norm"]:
            length = scale(h["scale"], *x.shape) * np.linalg.norm(x)
        else:
            length = 0.2 * np.sqrt(x.size)
        y = h["lr"] * length / (np.linalg.norm(y) + h["eps"]) * y
        return decayed(w, h) - y.reshape(w.shape)


class AdaMuon:
    DEFAULTS = {
        "lr": 0.02,
        "momentum": 0.9,
        "nesterov": False,
        "form": "average",
        "sign": False,
        "beta2": 0.95,
        "eps": 1e-10,
        "debias": True,
        "weight_decay": 0.0,
        **NEWTON_SCHULZ,
    }

    def __init__(self, shape, h, draw):
        matrix = flattened(np.zeros(shape))
        self.h, self.momentum, self.v, self.t = h, Momentum(matrix.shape, h), matrix, 0

    def step(self, w, g):
        h = self.h
        self.t += 1
        u = self.momentum.follow(flattened(g))
        x = orthogonal(np.sign(u) if h["sign"] else u, h)
        self.v = h["beta2"] * self.v + (1 - h["beta2"]) * x**2
        v = self.v / (1 - h["beta2"] ** self.t) if h["debias"] else self.v
        y = x / (np.sqrt(v) + h["eps"])
        length = np.sqrt(min(x.shape)) * scale("match_rms", *x.shape)
        y *= length / (np.linalg.norm(y) + h["eps"])
        return decayed(w, h) - h["lr"] * y.reshape(w.shape)


class Scion:
    DEFAULTS = {
        "lr": 0.02,
        "momentum": 0.9,
        "max_scale": False,
        "radius": 1.0,
        "constraint": False,
        **NEWTON_SCHULZ,
    }

    def __init__(self, shape, h, draw):
        self.h, self.m = h, np.zeros(shape)

    def step(self, w, g):
        h = self.h
        self.m = h["momentum"] * self.m + (1 - h["momentum"]) * g
        x = orthogonal(flattened(self.m), h).reshape(w.shape)
        # Of a kernel the inputs are its channels; over its positions it is an average.
        length = np.sqrt(w.shape[0] / w.shape[1])
        length = max(1.0, length) if h["max_scale"] else length
        length /= np.prod(w.shape[2:])
        kept = 1 - h["lr"] if h["constraint"] else 1.0
        return kept * w - h["lr"] * h["radius"] * length * x
