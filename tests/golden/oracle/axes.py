"""A tensor seen along one of its axes."""

import numpy as np


def along(matrix, tensor, axis):
    """The tensor with this matrix applied to an axis: the sum over k of matrix[i, k] tensor[.. k ..]."""
    return np.moveaxis(np.tensordot(matrix, tensor, (1, axis)), 0, axis)


def unfolded(tensor, axis):
    """A matrix of the axis x all others."""
    return np.moveaxis(tensor, axis, 0).reshape(tensor.shape[axis], -1)


def gram(tensor, axis):
    """The contraction of a tensor with itself over all other axes."""
    matrix = unfolded(tensor, axis)
    return matrix @ matrix.T


def power(matrix, exponent, least=0.0):
    """A power of a symmetric matrix by its eigenvalues, with `least` added to them once none is negative."""
    values, vectors = np.linalg.eigh(matrix)
    values = values - min(values.min(), 0.0) + least
    return vectors * values**exponent @ vectors.T
