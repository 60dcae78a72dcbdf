"""Float32 numbers, and how two answers are compared."""
import math

import torch

INF, NAN = math.inf, math.nan


def f32(x):
    """The nearest float32 numbers, as float64."""
    x = torch.as_tensor(x, dtype=torch.float64)
    return x.float().double()


def close(a, b, what="", tolerance=1e-12):
    """Two ways to the same answer agree."""
    a, b = a.detach(), b.detach()
    assert a.shape == b.shape, (what, a.shape, b.shape)
    assert torch.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True), (what, a, b)
