"""Rows along an axis."""
import math

import torch


def rows_last(x, axis):
    """[rows, classes], the rows in the order of their own shape."""
    moved = x.movedim(axis, -1)
    return moved.reshape(-1, moved.shape[-1]), moved.shape


def rows_back(rows, moved_shape, axis):
    return rows.reshape(moved_shape).movedim(-1, axis)


def map_rows(f, x, axis):
    rows, moved = rows_last(x, axis)
    return rows_back(torch.tensor([f(row) for row in rows.tolist()], dtype=torch.float64), moved, axis)


def reduce_rows(f, x, axis, dtype=torch.float64):
    rows, moved = rows_last(x, axis)
    return torch.tensor([f(row) for row in rows.tolist()], dtype=dtype).reshape(moved[:-1])


def first_extreme(row, better):
    """The first NaN, else the first of the best."""
    for i, x in enumerate(row):
        if math.isnan(x):
            return i
    best = 0
    for i, x in enumerate(row):
        if better(x, row[best]):
            best = i
    return best


def shape_name(shape, axis):
    return f"{shape} axis {axis}"
