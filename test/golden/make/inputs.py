"""Inputs that break kernels."""
import torch

from make.numbers import INF, NAN, f32

SHAPES = [([4, 7], 1), ([2, 3, 5], 0), ([2, 3, 5], 1), ([2, 3, 5], 2), ([5, 1], 1), ([1, 9], 1), ([2, 4, 3, 3], 1)]


def peaked(file, shape, height):
    """N(0, 1) with one class of each row, the first of which is class 0, raised."""
    x = file.normal(shape, grid=None)
    for i in range(shape[0]):
        x[i, (i * 2) % shape[1]] += height
    return f32(x)


def special_rows():
    """One row a hazard, among clean ones that no hazard may touch."""
    return f32([
        [0.5, -1.25, 2, 0.25, -0.5],
        [0.5, -INF, 2, 0.25, -0.5],  # a masked class
        [-INF, -INF, -INF, 1.5, -INF],  # all but one masked
        [-INF, -INF, -INF, -INF, -INF],  # all masked
        [0.5, NAN, 2, 0.25, -0.5],
        [INF, 1, 2, 0.25, -0.5],
        [INF, NAN, -INF, INF, 0],
        [3e38, 3e38, 3e38, 3e38, 3e38],
        [-3e38, -3e38, -3e38, -3e38, -3e38],
        [INF, -INF, -INF, -INF, -INF],
        [1, 1, 1, 1, 1],
        [-1.5, 0.75, 3, -2, 1],
    ])


def hard_inputs(file):
    return [
        ("offset by 1e4", file.normal([2, 6], 1, 1e4, None)),
        ("offset by -1e4", file.normal([2, 6], 1, -1e4, None)),
        ("N(0, 5)", file.normal([2, 6], 5, 0, None)),
        ("peaked by 15", peaked(file, [2, 6], 15)),
        ("peaked by 30", peaked(file, [2, 6], 30)),
        ("constant", f32(torch.full([2, 6], 0.1))),
        ("67 classes, a multiple of no vector width", file.normal([1, 67])),
        ("special rows", special_rows()),
    ]


def all_ones(shape):
    return torch.ones(shape, dtype=torch.float64)
