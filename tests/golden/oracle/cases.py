"""Which settings of which method are run on which problems."""

from dion2 import Dion2
from kron import Kron
from muon import AdaMuon, Muon, NorMuon, Scion
from psgd_pro import PsgdPro
from shampoo import Dash, Shampoo
from soap import Soap

POLAR = {"coefficients": "polar_express", "ns_steps": 8}
DION = {
    "coefficients": "polar_express_deployed",
    "safety": 1.02,
    "ns_eps": 1e-6,
    "eps_added": True,
    "scale": "spectral",
    "nesterov": False,
}
MOONLIGHT = {"form": "heavy_ball", "scale": "match_rms", "eps_added": True}
OPTAX = {"form": "corrected", "ns_eps": 1e-8, "eps_added": True}
SMALL = ["row", "rank1", "conv"]

# name -> (the method, its settings with the problems that they are run on).
CASES = {
    "muon": (
        Muon,
        [
            ({}, ["tall", *SMALL]),
            (MOONLIGHT, ["sq", *SMALL]),
            ({**POLAR, "scale": "spectral"}, ["row", "conv"]),
            ({**POLAR, "scale": "spectral", "gram": True}, ["wide", *SMALL]),
            (DION, ["tall", "row", "conv"]),
            ({"coefficients": "quintic", "nesterov": False, "scale": "match_rms"}, ["conv", "sq"]),
            ({"coefficients": "deepseek", "ns_steps": 10}, ["sq", "row"]),
            ({**OPTAX, "norm": "spectral", "weight_decay": 0.0}, ["sq", "row"]),
            ({"cautious_decay": True, "weight_decay": 0.5}, ["sq", "conv"]),
        ],
    ),
    "normuon": (
        NorMuon,
        [
            ({}, ["wide", *SMALL]),
            ({"scale": "match_rms", "weight_decay": 0.1, "nesterov": False}, ["sq", "conv"]),
            ({**POLAR, "keep_norm": False, "beta2": 0.9}, SMALL),
            ({"axis": "longer", "beta2": 0.9}, ["tall", "wide", *SMALL]),
            ({"axis": "columns", "scale": "spectral"}, ["tall", "sq"]),
        ],
    ),
    "adamuon": (
        AdaMuon,
        [
            ({"weight_decay": 0.1}, ["tall", *SMALL]),
            ({"sign": True, "momentum": 0.917}, ["row", "rank1", "conv", "sq"]),
            ({"coefficients": "quintic", "momentum": 0.95, "debias": False, "eps": 1e-7}, ["sq", "conv"]),
            ({"nesterov": True, "momentum": 0.95}, ["sq", "row"]),
        ],
    ),
    # Not `scion`: in the norm of matrices alone.
    "scion_spectral": (
        Scion,
        [
            ({}, ["tall", *SMALL]),
            ({**POLAR, "constraint": True, "radius": 2.0, "momentum": 0.5}, SMALL),
            ({"max_scale": True, "coefficients": "quintic"}, ["row", "conv"]),
        ],
    ),
    # Where a factor is not of full rank in the first step, its eigenvectors are any: such axes have none here.
    "soap": (
        Soap,
        [
            ({"precondition_frequency": 1}, ["sq", "conv"]),
            ({"precondition_frequency": 2, "shampoo_beta": 0.9, "beta1": 0.9}, ["sq", "conv"]),
            ({"precondition_frequency": 2, "max_precondition_dim": 48}, ["tall"]),
            ({"max_precondition_dim": 8, "correct_bias": False}, ["row"]),
            ({"precondition_frequency": 3, "merge_dims": True, "max_precondition_dim": 12}, ["conv"]),
            ({"precondition_frequency": 1, "normalize_gradient": True}, ["sq"]),
            ({"precondition_frequency": 1, "kl": True}, ["sq"]),
            ({"precondition_frequency": 2, "kl": True, "beta2": 0.9, "kl_eps": 1e-3}, ["sq"]),
        ],
    ),
    "shampoo": (
        Shampoo,
        [
            ({}, ["tall", *SMALL]),
            ({"beta1": 0.9, "beta2": 0.9, "exponent": 2, "root_eps": 1e-3}, ["sq"]),
            ({"beta1": 0.9, "graft": "adam", "weight_decay": 0.1}, ["sq", "rank1", "conv"]),
            ({"precondition_frequency": 2, "correct_bias": False}, ["sq", "conv"]),
        ],
    ),
    "dash": (
        Dash,
        [
            ({}, ["sq", "wide"]),
            ({"roots": "eigh", "matrix_eps": 1e-3, "weight_decay": 0.1}, ["sq", "rank1"]),
            ({"newton_steps": 6, "matrix_eps": 1e-2}, ["sq", "rank1"]),
        ],
    ),
    "kron": (
        Kron,
        [
            ({}, ["row", "rank1", "conv", "sq"]),
            ({"merge": "last", "weight_decay": 0.1, "precond_lr": 0.2}, ["conv"]),
            ({"merge": "none", "precond_init_scale": 0.5}, ["conv"]),
            ({"probability": 0.34}, ["tall"]),
            ({"max_size_triangular": 10, "weight_decay": 0.1}, ["sq"]),
        ],
    ),
    # On `wide` two slices become equally long, exactly so: gradients and their sums have few digits.
    "dion2": (
        Dion2,
        [
            ({}, ["tall", "wide", *SMALL]),
            ({"fraction": 0.5, "ef_decay": 0.8, "weight_decay": 0.1}, ["sq", "conv"]),
            ({"fraction": 1.0, "scale": "match_rms"}, ["sq"]),
            ({"fraction": 0.3, "scale": "original"}, ["conv", "rank1"]),
        ],
    ),
    "psgd_pro": (
        PsgdPro,
        [
            ({}, ["row", "rank1", "sq", "conv"]),
            ({"max_update_rms": 0.5, "precond_init_scale": 2.0, "damping": 0.01}, ["sq"]),
            ({"warmup_steps": 2, "min_precond_lr": 0.05, "beta_lip": 0.5, "momentum": 0.5}, ["sq"]),
            ({"max_size": 10, "weight_decay": 0.1}, ["sq"]),
            ({"max_size": 48}, ["wide"]),
        ],
    ),
}

# Where there are many random numbers only the first steps are run.
STEPS = {("psgd_pro", "wide"): 2, ("psgd_pro", "sq"): 6, ("psgd_pro", "conv"): 6}


def record(problem, steps):
    """After which steps the weights are written down: of the large ones the last alone."""
    return [steps] if problem in ("tall", "wide") else [2, steps]
