"""argmax, argmin and topK."""
import math

import torch
import torch.nn.functional as F

from make.golden_file import File
from make.inputs import SHAPES
from make.numbers import INF, NAN, close, f32
from make.rows import first_extreme, reduce_rows, rows_back, rows_last, shape_name


def top_k_row(row, k):
    """Stable: value descending, index ascending, NaN above all."""
    order = sorted(range(len(row)), key=lambda i: (-INF if math.isnan(row[i]) else -row[i], not math.isnan(row[i]), i))
    return order[:k]


def ties():
    return f32([
        [1, 3, 3, 0, 3, -2],
        [-1, -1, -1, -1, -1, -1],
        [0.0, -0.0, 0.0, -0.0, -1, -2],
        [-0.0, 0.0, 1e-45, 0, -1e-45, 0],  # the least subnormals
        [2, NAN, 5, NAN, 7, 1],
        [NAN, INF, -INF, 0, 0, 0],
        [INF, 1, INF, 1, -INF, -INF],
        [-INF, -INF, -INF, -INF, -INF, -INF],
        [3e38, -3e38, 3.4e38, -3.4e38, 3.4e38, -3.4e38],
        [INF, INF, NAN, NAN, -INF, 5],
    ])


def predictions():
    file = File("predictions", 2)
    better = {"argmax": lambda a, b: a > b, "argmin": lambda a, b: a < b}
    for op in ("argmax", "argmin"):
        for shape, axis in SHAPES:
            x = file.normal(shape)
            expected = reduce_rows(lambda row: first_extreme(row, better[op]), x, axis, torch.int64)
            close(expected, getattr(x, op)(axis))
            options = {} if axis == len(shape) - 1 else {"axis": axis}
            file.case(shape_name(shape, axis), op, {"x": x}, options, {"result": expected})
        x = file.integers([2, 4, 3], 3).double()
        few = reduce_rows(lambda row: first_extreme(row, better[op]), x, 1, torch.int64)
        file.case("few values, axis 1", op, {"x": x}, {"axis": 1}, {"result": few})
        expected = reduce_rows(lambda row: first_extreme(row, better[op]), ties(), 1, torch.int64)
        file.case("ties and special rows", op, {"x": ties()}, {}, {"result": expected})

    def top_k(name, x, k, axis, options):
        rows, moved = rows_last(x, axis)
        indices = torch.tensor([top_k_row(row, k) for row in rows.tolist()])
        values = rows.gather(1, indices)
        if not x.isnan().any():
            close(values, rows.topk(k, dim=1).values)
        shape = moved[:-1] + (k,)
        expected = {"values": rows_back(values, shape, axis), "indices": rows_back(indices, shape, axis)}
        file.case(name, "topK", {"x": x, "k": k}, options, expected)

    for shape, axis in SHAPES:
        for k in sorted({1, min(3, shape[axis]), shape[axis] if len(shape) == 2 else 1}):
            options = {} if axis == len(shape) - 1 else {"axis": axis}
            top_k(f"{shape_name(shape, axis)} k {k}", file.normal(shape), k, axis, options)
    for k in (1, 3, 6):
        top_k(f"ties and special rows, k {k}", ties(), k, 1, {})
    top_k("few values, k 9", file.integers([3, 40], 4).double(), 9, 1, {})
    top_k("few values, axis 1, k 4", file.integers([2, 10, 3], 3).double(), 4, 1, {"axis": 1})

    for n, d, c in ((4, 7, 3), (1, 9, 5), (5, 1, 4), (3, 6, 1), (2, 17, 9)):
        features, weight, bias = file.normal([n, d]), file.normal([c, d], 0.5), file.normal([c])
        inputs = {"features": features, "weight": weight}
        file.case(f"[{n}, {d}] x [{c}, {d}]", "linear", inputs, {}, {"result": F.linear(features, weight)})
        with_bias = {"result": F.linear(features, weight, bias)}
        file.case(f"[{n}, {d}] x [{c}, {d}] with bias", "linear", inputs, {"bias": bias}, with_bias)
    file.write()
