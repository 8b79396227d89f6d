"""Newton-Schulz iterations, which make the singular values of a matrix one."""

import numpy as np

JORDAN = [(3.4445, -4.7750, 2.0315)]

# name -> its triples, one a step; the last is repeated.
COEFFICIENTS = {
    "jordan": JORDAN,
    "quintic": [
        (4.0848, -6.8946, 2.9270),
        (3.9505, -6.3029, 2.6377),
        (3.7418, -5.5913, 2.3037),
        (2.8769, -3.1427, 1.2046),
        (2.8366, -3.0525, 1.2012),
    ],
    "polar_express": [
        (8.28721201814563, -23.595886519098837, 17.300387312530933),
        (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
        (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
        (3.3184196573706015, -2.488488024314874, 0.51004894012372),
        (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
        (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
        (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
        (1.875, -1.25, 0.375),
    ],
    "polar_express_deployed": [
        (8.156554524902461, -22.48329292557795, 15.878769915207462),
        (4.042929935166739, -2.808917465908714, 0.5000178451051316),
        (3.8916678022926607, -2.772484153217685, 0.5060648178503393),
        (3.285753657755655, -2.3681294933425376, 0.46449024233003106),
        (2.3465413258596377, -1.7097828382687081, 0.42323551169305323),
    ],
    "deepseek": 8 * JORDAN + 2 * [(2.0, -1.5, 0.5)],
}


def divisor(x, h):
    """What a matrix is divided by first: its norm, kept from zero by an epsilon."""
    norm = np.linalg.norm(x, 2) if h["norm"] == "spectral" else np.linalg.norm(x)
    norm = h["safety"] * norm
    return norm + h["ns_eps"] if h["eps_added"] else max(norm, h["ns_eps"])


def plain(x, triples):
    """X <- a X + (b A + c A^2) X with A = X X'."""
    for a, b, c in triples:
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x


def by_gram(x, triples, restart):
    """The same from products of the Gram matrix alone; X takes part at the restart and at the end."""
    identity = np.eye(len(x))
    gram, q = x @ x.T, identity
    for step, (a, b, c) in enumerate(triples):
        if step == restart:
            x, q = q @ x, identity
            gram = x @ x.T
        p = a * identity + b * gram + c * gram @ gram
        q = q @ p
        gram = p @ gram @ p
    return q @ x


def orthogonal(u, h):
    """The matrix `u` with its singular values near one. `h` says how."""
    x = u.T if u.shape[0] > u.shape[1] else u
    x = x / divisor(x, h)
    known = COEFFICIENTS[h["coefficients"]]
    triples = [known[min(step, len(known) - 1)] for step in range(h["ns_steps"])]
    made = plain(x, triples)
    if h["gram"]:
        other = by_gram(x, triples, 2)
        assert np.abs(made - other).max() < 1e-9, "the Gram form is the same iteration"
    return made.T if u.shape[0] > u.shape[1] else made


# How it is said, with the defaults of Jordan and PyTorch.
NEWTON_SCHULZ = {
    "coefficients": "jordan",
    "ns_steps": 5,
    "norm": "frobenius",
    "safety": 1.0,
    "ns_eps": 1e-7,
    "eps_added": False,
    "gram": False,
}


def flattened(tensor):
    """A kernel as one matrix: outputs x all others."""
    return tensor.reshape(tensor.shape[0], -1)


def scale(name, outputs, inputs, rms=0.2):
    """What an orthogonal step is multiplied by."""
    return {
        "original": np.sqrt(max(1.0, outputs / inputs)),
        "match_rms": rms * np.sqrt(max(outputs, inputs)),
        "spectral": np.sqrt(outputs / inputs),
        "one": 1.0,
    }[name]
