#!/usr/bin/env python3
"""Makes the golden files beside it: small inputs, and the answers that the library is held to.

Run it from anywhere:   python3 test/golden/make_golden.py      (needs torch, on the CPU; some seconds)
Made with:              torch 1.13.0 (Debian 12) and Python 3.11. Each file records its torch version.

The answers are PyTorch's, in float64, from inputs that float32 can hold, so that a float32 library sees the very same
numbers. Gradients are autograd's. Where this file has a formula instead, its source is named there, and the formula is
held against PyTorch's own function wherever there is one. Three things differ from a plain call:

* The softmax family and the integer cross-entropy are evaluated in 60 decimal digits ("exact" below) and then checked
  against PyTorch: of a confident row, log-sum-exp minus logit keeps no digit in float64.
* Numbers that are not finite follow the library's contract: a row that is all -Infinity, or holds NaN or +Infinity, is
  NaN throughout, and ignored rows have gradient 0 whatever they hold.
* Ties in argmax, argmin and topK go to the lowest index; PyTorch does not promise that, so they are written out.

A file is { torch, tensors, cases: [{ name, op, inputs, options, expected }] }: `op` is the function, `inputs` its
arguments in order, `options` its last argument, and `expected` its results by name ('result' for a bare tensor,
'gradients.anchor' for a property of a property). A tensor is { shape, dtype, data }, or { tensor } where several cases
share one, which then is that property of `tensors`; of expected ones the dtype is left out. NaN, Infinity, -Infinity and
-0 are strings. Fractions among the options are float32 numbers too, but for the documented defaults.
"""
import json
import math
import os
from decimal import Decimal, getcontext

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
INF, NAN = math.inf, math.nan
SHAPES = [([4, 7], 1), ([2, 3, 5], 0), ([2, 3, 5], 1), ([2, 3, 5], 2), ([5, 1], 1), ([1, 9], 1), ([2, 4, 3, 3], 1)]
getcontext().prec = 60


# ---- writing ----------------------------------------------------------------------------------------------------------


def number(x, keep_sign):
    if isinstance(x, int):
        return x
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    if x == 0:
        return "-0" if keep_sign and math.copysign(1, x) < 0 else 0
    return int(x) if x == int(x) and abs(x) < 1e15 else x


def encode_input(x):
    if not isinstance(x, torch.Tensor):
        return x
    if x.dtype == torch.int64:
        assert x.numel() == 0 or x.abs().max() < 2**31
        dtype = "int32"
    else:
        assert x.dtype == torch.float64
        same = (x == x.float().double()) | x.isnan()
        assert same.all(), "an input that float32 cannot hold"
        dtype = "float32"
    return {"shape": list(x.shape), "dtype": dtype, "data": [number(v, True) for v in x.detach().flatten().tolist()]}


def encode_expected(x):
    return {"shape": list(x.shape), "data": [number(v, False) for v in x.detach().flatten().tolist()]}


def compact(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


class File:
    """The cases of one file, with random numbers of its own, so that a change here moves no other file."""

    def __init__(self, name, seed):
        self.name, self.cases = name, []
        self.generator = torch.Generator().manual_seed(seed)

    def normal(self, shape, sigma=1.0, mean=0.0, grid=1024):
        """Multiples of 1 / 1024, which keeps the files small; grid=None for all the digits of float32."""
        x = torch.randn(shape, generator=self.generator, dtype=torch.float64) * sigma + mean
        return f32(x if grid is None else (x * grid).round() / grid)

    def uniform(self, shape, low=0.0, high=1.0):
        x = torch.rand(shape, generator=self.generator, dtype=torch.float64) * (high - low) + low
        return (x * 256).round() / 256

    def integers(self, shape, below):
        return torch.randint(0, below, shape, generator=self.generator)

    def signs(self, shape):
        return self.integers(shape, 2).double() * 2 - 1

    def probabilities(self, shape, axis=-1):
        return f32(self.normal(shape).softmax(axis))

    def case(self, name, op, inputs, options, expected):
        self.cases.append({
            "name": f"{op}: {name}",
            "op": op,
            "inputs": {key: encode_input(value) for key, value in inputs.items()},
            "options": {key: encode_input(value) for key, value in options.items()},
            "expected": {key: encode_expected(value) for key, value in expected.items()},
        })

    def share(self):
        """Inputs that several cases have in common are written once; in the cases their name stands for them."""
        uses = [(part, key) for case in self.cases for part in (case["inputs"], case["options"]) for key in part]
        uses = [(part, key) for part, key in uses if isinstance(part[key], dict) and len(part[key]["data"]) > 4]
        texts = [compact(part[key]) for part, key in uses]
        tensors, names = {}, {}
        for (part, key), text in zip(uses, texts):
            if texts.count(text) > 1:
                if text not in names:
                    names[text] = f"{key} {len(names)}"
                    tensors[names[text]] = part[key]
                part[key] = {"tensor": names[text]}
        return tensors

    def write(self):
        names = [case["name"] for case in self.cases]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
        path = os.path.join(HERE, self.name + ".json")
        tensors = self.share()
        with open(path, "w") as out:  # one line a case, so that a change shows as the cases it touches
            out.write('{"torch":' + compact(torch.__version__) + ',\n"tensors":{\n')
            out.write(",\n".join(compact(key) + ":" + compact(value) for key, value in tensors.items()))
            out.write('\n},\n"cases":[\n' + ",\n".join(compact(case) for case in self.cases) + "\n]}\n")
        print(f"{self.name}.json: {len(self.cases)} cases, {os.path.getsize(path)} bytes")


def f32(x):
    """The nearest float32 numbers, as float64."""
    x = torch.as_tensor(x, dtype=torch.float64)
    return x.float().double()


def close(a, b, what="", tolerance=1e-12):
    """Two ways to the same answer agree."""
    a, b = a.detach(), b.detach()
    assert a.shape == b.shape, (what, a.shape, b.shape)
    assert torch.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True), (what, a, b)


def rows_last(x, axis):
    """[rows, classes], the rows in the order of their own shape."""
    moved = x.movedim(axis, -1)
    return moved.reshape(-1, moved.shape[-1]), moved.shape


def rows_back(rows, moved_shape, axis):
    return rows.reshape(moved_shape).movedim(-1, axis)


def shape_name(shape, axis):
    return f"{shape} axis {axis}"


# ---- exact: 60 digits, one row at a time ------------------------------------------------------------------------------


def exact_row(row):
    """(maximum, e_j = exp(x_j - maximum), sum of e) in 60 digits, or None where the row's answer is NaN."""
    if any(math.isnan(x) or x == INF for x in row) or all(x == -INF for x in row):
        return None
    m = Decimal(max(row))
    e = [Decimal(0) if x == -INF else (Decimal(x) - m).exp() for x in row]
    return m, e, sum(e)


def exact_softmax(row):
    found = exact_row(row)
    return [NAN] * len(row) if found is None else [float(e / found[2]) for e in found[1]]


def exact_log_softmax(row):
    found = exact_row(row)
    if found is None:
        return [NAN] * len(row)
    m, _, total = found
    return [-INF if x == -INF else float(Decimal(x) - m - total.ln()) for x in row]


def exact_log_sum_exp(row):
    found = exact_row(row)
    if found is None:
        return NAN if any(math.isnan(x) for x in row) else INF if INF in row else -INF
    return float(found[0] + found[2].ln())


def exact_cross_entropy(row, target):
    """(loss, gradient by the logits) of one row. The target's own gradient is the sum of the others, negated."""
    found = exact_row(row)
    if found is None:
        return NAN, [NAN] * len(row)
    m, e, total = found
    loss = INF if row[target] == -INF else float(total.ln() + m - Decimal(row[target]))
    return loss, [float((e_j - total if j == target else e_j) / total) for j, e_j in enumerate(e)]


def tempered(row, temperature):
    """The row over its temperature; in numbers that Decimal holds exactly where the temperature is a power of two."""
    return [x / temperature for x in row]


def map_rows(f, x, axis):
    rows, moved = rows_last(x, axis)
    return rows_back(torch.tensor([f(row) for row in rows.tolist()], dtype=torch.float64), moved, axis)


def reduce_rows(f, x, axis, dtype=torch.float64):
    rows, moved = rows_last(x, axis)
    return torch.tensor([f(row) for row in rows.tolist()], dtype=dtype).reshape(moved[:-1])


# ---- inputs that break kernels ----------------------------------------------------------------------------------------


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


# ---- probabilities ----------------------------------------------------------------------------------------------------


def probabilities():
    file = File("probabilities", 1)
    torch_of = {"softmax": F.softmax, "logSoftmax": F.log_softmax}
    exact_of = {"softmax": exact_softmax, "logSoftmax": exact_log_softmax}

    def check(op, x, axis, temperature, expected):
        rows, moved = rows_last(x, axis)
        keep = ~(rows.isnan().any(1) | (rows == INF).any(1))
        theirs = torch_of[op](rows[keep] / temperature, dim=1)
        close(rows_last(expected, axis)[0][keep], theirs, op)

    for op in ("softmax", "logSoftmax"):
        for shape, axis in SHAPES:
            x = file.normal(shape, 2)
            expected = map_rows(exact_of[op], x, axis)
            check(op, x, axis, 1, expected)
            options = {} if axis == len(shape) - 1 else {"axis": axis}
            file.case(shape_name(shape, axis), op, {"logits": x}, options, {"result": expected})
        for name, x in hard_inputs(file):
            expected = map_rows(exact_of[op], x, 1)
            check(op, x, 1, 1, expected)
            file.case(name, op, {"logits": x}, {}, {"result": expected})
        for shape, axis, temperature in [([4, 7], -1, 0.5), ([4, 7], -1, 2.5), ([2, 4, 3], 1, 4), ([2, 3, 5], -3, 0.75)]:
            x = file.normal(shape, 2)
            expected = map_rows(lambda row: exact_of[op](tempered(row, temperature)), x, axis)
            check(op, x, axis, temperature, expected)
            options = {"axis": axis, "temperature": temperature}
            title = f"{shape_name(shape, axis)} temperature {temperature}"
            file.case(title, op, {"logits": x}, options, {"result": expected})
        # Over the temperature these leave float32, their differences do not.
        x = f32([[3e38, 3e38, 3e38, 3e38], [-3e38, -3e38, -3e38, -INF]])
        expected = map_rows(lambda row: exact_of[op](tempered(row, 0.5)), x, 1)
        file.case("3e38 temperature 0.5", op, {"logits": x}, {"temperature": 0.5}, {"result": expected})
    x = f32([[3e38, -3e38, 0, 3e38], [-3e38, 3e38, -INF, 1]])
    file.case("differences beyond float32", "softmax", {"logits": x}, {}, {"result": map_rows(exact_softmax, x, 1)})

    for shape, axis in SHAPES:
        x = file.normal(shape, 2)
        expected = reduce_rows(exact_log_sum_exp, x, axis)
        close(expected, x.logsumexp(axis))
        options = {} if axis == len(shape) - 1 else {"axis": axis}
        file.case(shape_name(shape, axis), "logSumExp", {"logits": x}, options, {"result": expected})
    for name, x in hard_inputs(file):
        expected = reduce_rows(exact_log_sum_exp, x, 1)
        close(expected, x.logsumexp(1), name)
        file.case(name, "logSumExp", {"logits": x}, {}, {"result": expected})
    x = file.normal([6], 2)
    file.case("one dimension", "logSumExp", {"logits": x}, {}, {"result": reduce_rows(exact_log_sum_exp, x, 0)})

    for shape in ([4, 7], [2, 3, 5], [9]):
        x = file.normal(shape, 3)
        file.case(str(shape), "sigmoid", {"logits": x}, {}, {"result": x.sigmoid()})
    x = f32([0.0, -0.0, 80, -80, 20, -20, 1e-6, -1e-6, 3e38, INF, -INF, NAN])
    file.case("extremes", "sigmoid", {"logits": x}, {}, {"result": x.sigmoid()})
    file.case("a scalar", "sigmoid", {"logits": f32(0.75)}, {}, {"result": f32(0.75).sigmoid()})
    file.write()


# ---- predictions ------------------------------------------------------------------------------------------------------


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


# ---- cross-entropy, the integer targets -------------------------------------------------------------------------------


def all_ones(shape):
    return torch.ones(shape, dtype=torch.float64)


def plain_cross_entropy(file, name, logits, targets, options):
    """One case with a gradient: exact rows, then the reduction, then PyTorch as the judge of the finite ones."""
    axis = options.get("axis", -1)
    reduction = options.get("reduction", "mean")
    ignore = options.get("ignoreIndex", -100)
    rows, moved = rows_last(logits, axis)
    losses, gradients, counted = [], [], 0
    for row, target in zip(rows.tolist(), targets.flatten().tolist()):
        if target == ignore:
            losses.append(0.0)
            gradients.append([0.0] * len(row))
            continue
        counted += 1
        loss, gradient = exact_cross_entropy(row, target)
        losses.append(loss)
        gradients.append(gradient)
    loss = torch.tensor(losses, dtype=torch.float64)
    gradient = torch.tensor(gradients, dtype=torch.float64)
    if reduction == "none":
        upstream = options.get("upstream", all_ones(targets.shape)).reshape(-1, 1)
        loss = loss.reshape(targets.shape)
    else:
        divisor = counted if reduction == "mean" else 1
        upstream = options.get("upstream", 1.0) / divisor if divisor else 0.0
        loss = loss.sum() / divisor if divisor else torch.tensor(NAN, dtype=torch.float64)
    ignored = torch.tensor([[target == ignore] for target in targets.flatten().tolist()])
    gradient = torch.where(ignored, torch.zeros_like(gradient), gradient * upstream)
    gradient = rows_back(gradient, moved, axis)
    if logits.isfinite().all() and (reduction != "mean" or counted):
        x = logits.movedim(axis, 1 if logits.dim() > 1 else 0).clone().requires_grad_()
        never = 10**6
        theirs = F.cross_entropy(x, targets, ignore_index=never if ignore is None else ignore, reduction=reduction)
        theirs.backward(torch.as_tensor(options.get("upstream", torch.ones_like(theirs)), dtype=torch.float64))
        close(loss, theirs, name)
        close(gradient, x.grad.movedim(1 if logits.dim() > 1 else 0, axis), name)
    options = {**options, "gradient": True}
    file.case(name, "crossEntropy", {"logits": logits, "targets": targets}, options, {"loss": loss, "gradient": gradient})


def cross_entropy():
    file = File("cross-entropy", 3)

    def add(name, logits, targets, **options):
        plain_cross_entropy(file, name, logits, targets, options)

    def ignored(targets, index):
        targets = targets.clone()
        targets.view(-1)[1::3] = index
        return targets

    for shape, axis in SHAPES:
        logits = file.normal(shape, 2)
        targets = file.integers([n for i, n in enumerate(shape) if i != axis], shape[axis])
        where = {} if axis == len(shape) - 1 else {"axis": axis}
        name = shape_name(shape, axis)
        upstream = file.normal(list(targets.shape))
        add(f"{name} none, upstream", logits, targets, reduction="none", upstream=upstream, **where)
        add(f"{name} mean, some ignored", logits, ignored(targets, -100), reduction="mean", **where)
        add(f"{name} sum", logits, targets, reduction="sum", **where)
    logits, targets = file.normal([5, 3], 2), file.integers([5], 3)
    add("reduction left out", logits, targets)
    add("mean, upstream", logits, targets, reduction="mean", upstream=2.5)
    add("sum, upstream", logits, targets, reduction="sum", upstream=-0.75)
    add("upstream 0", logits, targets, reduction="sum", upstream=0)
    for reduction in ("none", "mean", "sum"):
        for index in (-100, 255, 2, -1):
            some = ignored(targets, index)
            explicit = {} if index == -100 else {"ignoreIndex": index}
            add(f"ignoreIndex {index} {reduction}", logits, some, reduction=reduction, **explicit)
        add(f"ignoreIndex null {reduction}", logits, targets, reduction=reduction, ignoreIndex=None)
        add(f"all ignored {reduction}", logits, torch.full([5], -100), reduction=reduction)
    add("all ignored, mean, upstream", logits, torch.full([5], -100), upstream=3)
    some = ignored(targets, -100)
    add("some ignored, none, upstream", logits, some, reduction="none", upstream=file.normal([5]))
    add("[2, 4, 3, 3] axis 1 sum, upstream, ignored", file.normal([2, 4, 3, 3]),
        ignored(file.integers([2, 3, 3], 4), -100), axis=1, reduction="sum", upstream=0.5)

    for name, logits in hard_inputs(file)[:-1]:
        targets = file.integers([logits.shape[0]], logits.shape[1])
        add(f"{name}, mean", logits, targets, reduction="mean")
        add(f"{name}, the largest the target", logits, logits.argmax(1), reduction="none")
    for height in (15, 30):
        logits = peaked(file, [3, 20], height)
        upstream = file.normal([3])
        add(f"peaked by {height}, 20 classes, upstream", logits, logits.argmax(1), reduction="none", upstream=upstream)

    special = special_rows()
    # The target on a plain class of each row where there is one; then on its masked class; then on the one that is open.
    for name, targets in (("target 0", [0] * 12), ("target 1, masked in some", [1] * 12), ("target 3, open", [3] * 12)):
        targets = torch.tensor(targets)
        for reduction in ("none", "mean"):
            add(f"special rows, {name}, {reduction}", special, targets, reduction=reduction)
        upstream = f32([0.5, -2, 3, 1, 2, 0.25, 1, -1, 4, 1, 0.125, -0.5])
        add(f"special rows, {name}, upstream", special, targets, reduction="none", upstream=upstream)
    bad = torch.tensor([0, 0, 3, -100, -100, -100, -100, 1, 1, -100, 4, 2])
    for reduction in ("none", "mean", "sum"):
        add(f"rows that are not finite ignored, {reduction}", special, bad, reduction=reduction)
    masked = f32([[0.5, -INF, 2, 0.25], [-INF, 1, -INF, 0], [0.25, 0.5, -1, 2]])
    add("masked classes, mean", masked, torch.tensor([2, 1, 3]))
    add("a masked target, mean", masked, torch.tensor([1, 1, 3]))
    add("a masked target, sum, upstream", masked, torch.tensor([2, 0, 3]), reduction="sum", upstream=-2)
    file.write()


# ---- cross-entropy, the whole option set ------------------------------------------------------------------------------


def log_softmax_safe(x):
    """(log-probabilities, the same with 0 for -Infinity): 0 x -Infinity never arises, forward or backward."""
    logs = F.log_softmax(x, dim=-1)
    return logs, torch.where(logs == -INF, torch.zeros_like(logs), logs)


def transform(x, softcap, temperature):
    """cap tanh(x / cap), then / temperature; a masked class stays masked, and +Infinity makes the row NaN, as without."""
    if softcap is not None:
        capped = softcap * torch.tanh(torch.where(x.isinf(), torch.zeros_like(x), x) / softcap)
        x = torch.where(x.isinf(), x, capped)
    return x / temperature


def rows_cross_entropy(x, targets, options):
    """x [rows, classes], targets [rows] or [rows, classes] -> (loss, divisor of 'mean', log-sum-exp, correct), one a row each
    but for the divisor.

    The formulas of torch.nn.functional.cross_entropy, with three additions: sample weights scale a row's loss and enter
    the divisor, zLoss x logsumexp^2 is added to the row's loss before that (Chowdhery et al. 2022, PaLM, section 5), and
    softcap is cap tanh(x / cap) (Gemma Team 2024, Gemma 2, section 2).
    """
    rows, classes = x.shape
    x = transform(x, options.get("softcap"), options.get("temperature", 1))
    weights = options.get("classWeights", all_ones([classes]))
    samples = options.get("sampleWeights", all_ones([rows])).reshape(-1)
    smoothing = options.get("labelSmoothing", 0)
    soft = targets.dtype != torch.int64
    ignore = options.get("ignoreIndex", -100)
    counted = torch.ones(rows, dtype=torch.bool) if soft or ignore is None else targets != ignore
    keep = counted.nonzero().flatten()  # a row that is ignored is not so much as looked at, so its gradient is 0
    log_sum_exp = x.logsumexp(1)
    x, targets = x[keep], targets[keep]
    mass = targets if soft else F.one_hot(targets, classes).double()
    if soft:
        mass = weights * (mass * (1 - smoothing) + smoothing / classes)
        divisor = samples.sum()
    else:
        mass = weights[targets].reshape(-1, 1) * (1 - smoothing) * mass + weights * smoothing / classes
        divisor = (samples[keep] * weights[targets]).sum()
    # Mass on a masked class is a loss of +Infinity; no mass there adds nothing, forward or backward.
    logs = F.log_softmax(x, dim=1)
    nothing = (logs == -INF) & (mass == 0)
    loss = -(mass * logs.masked_fill(nothing, 0)).sum(1)
    if "zLoss" in options:
        loss = loss + options["zLoss"] * x.logsumexp(1) ** 2
    loss = loss * samples[keep]
    best = torch.tensor([first_extreme(row, lambda a, b: a > b) for row in x.tolist()], dtype=torch.int64)
    wanted = torch.tensor([first_extreme(row, lambda a, b: a > b) for row in targets.tolist()]) if soft else targets
    correct = torch.zeros(rows, dtype=torch.int64).index_put((keep,), (best == wanted).long())
    return torch.zeros(rows, dtype=torch.float64).index_put((keep,), loss), divisor, log_sum_exp, correct


def reduced(rows, reduction, divisor):
    """The loss that 'none', 'sum', 'mean' or 'batchmean' makes of the rows' losses."""
    if reduction == "none":
        return rows
    if reduction == "sum":
        return rows.sum()
    return rows.sum() / divisor


def backward(loss, inputs, upstream):
    """The derivatives of sum(upstream x loss); 0 where the loss does not reach."""
    if upstream is None:
        upstream = torch.ones_like(loss)
    upstream = torch.as_tensor(upstream, dtype=torch.float64).reshape(loss.shape)
    found = torch.autograd.grad(loss, inputs, upstream, allow_unused=True)
    return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found)]


def cross_entropy_options():
    file = File("cross-entropy-options", 4)

    def target_gradient(logits, autograd):
        """+Infinity on a masked class, also where no mass is; there autograd has 0. (The cases with masks have upstream 1.)"""
        masked = (logits == -INF) & ~autograd.isnan()
        return torch.where(masked, torch.full_like(autograd, INF), autograd)

    def add(name, logits, targets, only=None, **options):
        axis, reduction = options.get("axis", -1), options.get("reduction", "mean")
        soft = targets.dtype != torch.int64
        logits = logits.clone().requires_grad_()
        leaf = targets.clone().requires_grad_() if soft else targets
        rows, moved = rows_last(logits, axis)
        flat = rows_last(leaf, axis)[0] if soft else leaf.flatten()
        loss, divisor, log_sum_exp, correct = rows_cross_entropy(rows, flat, options)
        loss = reduced(loss.reshape(moved[:-1]), reduction, divisor)
        inputs = [logits, leaf] if soft else [logits]
        gradients = backward(loss, inputs, options.get("upstream"))
        if reduction == "mean" and float(divisor) == 0:
            loss, gradients = torch.full_like(loss, NAN), [torch.zeros_like(g) for g in gradients]
        ours = not {"zLoss", "softcap", "temperature", "sampleWeights"} & set(options)
        if ours and logits.isfinite().all():
            x = logits.detach().movedim(axis, 1).clone().requires_grad_()
            ignore = options.get("ignoreIndex", -100)
            theirs = F.cross_entropy(
                x, targets.movedim(axis, 1) if soft else targets, weight=options.get("classWeights"), reduction=reduction,
                label_smoothing=options.get("labelSmoothing", 0), ignore_index=-100 if ignore is None else ignore)
            close(loss, theirs, name)
            if not theirs.isnan().any():
                close(gradients[0].movedim(axis, 1), backward(theirs, [x], options.get("upstream"))[0], name)
        expected = {"loss": loss, "gradient": gradients[0]}
        options = {**options, "gradient": True}
        if options.get("targetGradient"):
            expected["targetGradient"] = target_gradient(logits, gradients[1])
        if options.get("metrics"):
            expected["correct"] = correct.reshape(moved[:-1])
            expected["logSumExp"] = log_sum_exp.reshape(moved[:-1])
        if only:
            expected = {key: expected[key] for key in only}
        file.case(name, "crossEntropy", {"logits": logits.detach(), "targets": targets}, options, expected)

    logits, targets = file.normal([5, 4], 2), torch.tensor([1, 3, 0, -100, 2])
    weights, samples = file.uniform([4], 0.25, 2), file.uniform([5], 0.25, 2)
    soft = file.uniform([5, 4])  # rows that do not sum to one
    soft[2, 1] = soft[4] = 0
    upstream = file.normal([5])
    image, image_targets = file.normal([2, 3, 2, 2], 2), file.integers([2, 2, 2], 3)
    image_targets[0, 1, 1] = image_targets[1, 0, 0] = -100
    image_soft, image_weights = file.uniform([2, 3, 2, 2]), file.uniform([3], 0.25, 2)
    image_samples = file.uniform([2, 2, 2], 0.25, 2)
    every = {"labelSmoothing": 0.125, "zLoss": 0.0625, "softcap": 3, "temperature": 0.75}
    for reduction in ("none", "mean", "sum"):
        up = {"upstream": upstream} if reduction == "none" else {"upstream": 1.5}
        r = {"reduction": reduction}
        add(f"classWeights {reduction}", logits, targets, classWeights=weights, **r, **up)
        add(f"labelSmoothing {reduction}", logits, targets, labelSmoothing=0.125, **r)
        add(f"labelSmoothing with classWeights {reduction}", logits, targets, labelSmoothing=0.25, classWeights=weights,
            **r, **up)
        add(f"sampleWeights {reduction}", logits, targets, sampleWeights=samples, **r)
        add(f"sampleWeights with classWeights and smoothing {reduction}", logits, targets, sampleWeights=samples,
            classWeights=weights, labelSmoothing=0.125, **r, **up)
        add(f"zLoss {reduction}", logits, targets, zLoss=0.125, **r, **up)
        add(f"softcap {reduction}", logits, targets, softcap=2, **r)
        add(f"temperature {reduction}", logits, targets, temperature=0.75, **r)
        add(f"everything {reduction}", logits, targets, classWeights=weights, sampleWeights=samples, **every, **r, **up)
        add(f"everything, [2, 3, 2, 2] axis 1 {reduction}", image, image_targets, axis=1, classWeights=image_weights,
            sampleWeights=image_samples, **every, **r)
        t = {"targetGradient": True}
        add(f"soft targets {reduction}", logits, soft, **r, **t)
        add(f"soft targets, classWeights, smoothing {reduction}", logits, soft, classWeights=weights, labelSmoothing=0.125,
            **r, **up, **t)
        add(f"soft targets, everything {reduction}", logits, soft, classWeights=weights, sampleWeights=samples, **every, **r,
            **up, **t)
        add(f"soft targets, everything, [2, 3, 2, 2] axis 1 {reduction}", image, image_soft, axis=1,
            classWeights=image_weights, sampleWeights=image_samples, **every, **r, **t)
    add("soft targets, the target gradient alone", logits, soft, only=("loss", "targetGradient"), targetGradient=True)
    add("one-hot soft targets", logits, F.one_hot(torch.tensor([1, 3, 0, 3, 2]), 4).double(), targetGradient=True)
    add("labelSmoothing 1", logits, targets, labelSmoothing=1)
    own = torch.tensor([1, 3, 0, 2, 2])
    add("labelSmoothing, an ignored class of its own", logits, own, labelSmoothing=0.25, ignoreIndex=2)
    add("a class weight of 0", logits, targets, classWeights=f32([1, 0, 2, 0.5]), reduction="none")
    add("class weights of 0 for all, mean", logits, targets, classWeights=f32([0] * 4))
    add("class weights of 0 for all targets, mean", logits, torch.tensor([1, 3, 1, -100, 3]), classWeights=f32([1, 0, 1, 0]))
    add("class weights of 0 for all, sum", logits, targets, classWeights=f32([0] * 4), reduction="sum")
    add("sample weights of 0 for all, mean", logits, targets, sampleWeights=f32([0] * 5))
    add("sample weights of 0 for all, soft, mean", logits, soft, sampleWeights=f32([0] * 5), targetGradient=True)
    every = {**every, "classWeights": weights, "sampleWeights": samples}
    add("all ignored, every option, mean", logits, torch.full([5], -100), **every)
    add("all ignored, every option, sum", logits, torch.full([5], -100), reduction="sum", **every)
    right = torch.where(torch.tensor([True, False, True, True, False]), logits.argmax(1), logits.argmin(1))
    add("metrics", logits, right, metrics=True)
    add("metrics, reduction none", logits, right, metrics=True, reduction="none")
    add("metrics of the transformed logits", logits, right, metrics=True, softcap=2, temperature=0.75)
    add("metrics of soft targets", logits, soft[:, [1, 0, 2, 3]], metrics=True)
    right[3] = right[1] = -100
    add("metrics with ignored rows", logits, right, only=("loss", "gradient", "correct"), metrics=True)
    right = torch.where(image_targets < 0, image.argmax(1), image_targets)
    right[1, 1] = image.argmax(1)[1, 1]
    add("metrics, axis 1", image, right, axis=1, metrics=True, labelSmoothing=0.125)
    add("metrics, ties", f32([[1, 3, 3, 0], [2, 2, 2, 2], [0, 1, 5, 5]]), torch.tensor([2, 0, 2]), metrics=True)

    # The contract's section on numbers that are not finite, with the options.
    masked = f32([[0.5, -INF, 2, 0.25], [-INF, 1, -INF, 0], [0.25, 0.5, -1, 2]])
    add("masked, no soft mass there", masked, f32([[0.25, 0, 0.5, 0.25], [0, 0.75, 0, 0.5], [0.25, 0.25, 0.25, 0.25]]),
        targetGradient=True)
    add("masked, soft mass there", masked, f32([[0.25, 0.5, 0.25, 0], [0, 0.75, 0, 0.5], [0.25, 0.25, 0.25, 0.25]]),
        targetGradient=True, reduction="none")
    add("masked, smoothing", masked, torch.tensor([2, 1, 3]), labelSmoothing=0.125, reduction="none")
    add("masked, class weights", masked, torch.tensor([2, 1, 3]), classWeights=f32([0.5, 2, 1, 0.25]), reduction="none")
    add("masked, zLoss and temperature", masked, torch.tensor([2, 1, 3]), zLoss=0.125, temperature=0.5)
    add("masked, softcap", masked, torch.tensor([2, 1, 3]), softcap=2)
    special = special_rows()[[0, 3, 4, 5, 1]]
    open_targets = torch.tensor([1, 1, 1, 1, 2])
    for name, options in (("zLoss", {"zLoss": 0.125}), ("softcap", {"softcap": 2}), ("temperature", {"temperature": 0.5}),
                          ("sampleWeights", {"sampleWeights": samples})):
        add(f"special rows, {name}", special, open_targets, reduction="none", **options)
    add("special rows, soft targets", special, f32([[0.5, 0, 0.25, 0.25, 0.125]] * 5), reduction="none", targetGradient=True)
    add("special rows ignored, every option", special, torch.tensor([1, -100, -100, -100, 2]), zLoss=0.125,
        labelSmoothing=0.125, sampleWeights=samples, temperature=0.75)
    file.write()


# ---- the other losses -------------------------------------------------------------------------------------------------


class Losses:
    """Cases of one loss: `forward(inputs..., options)` gives the loss of each row (or element), and the rest is the same."""

    def __init__(self, file, op, forward, differentiable=(), theirs=None, divisor=None):
        self.file, self.op, self.forward, self.theirs, self.divisor = file, op, forward, theirs, divisor
        self.differentiable = differentiable

    def add(self, name, inputs, **options):
        wrt = self.differentiable or (next(iter(inputs)),)
        leaves = {key: value.clone().requires_grad_() if key in wrt else value for key, value in inputs.items()}
        losses = self.forward(*leaves.values(), options)
        reduction = options.get("reduction", "mean")
        if "sampleWeights" in options:
            losses = losses * options["sampleWeights"]
        if reduction == "batchmean":  # by the rows, which of an elementwise loss are its first axis
            divisor = losses.shape[0] if "axis" not in options else losses.numel()
        elif self.divisor:
            divisor = self.divisor(leaves, options)
        elif "sampleWeights" in options:
            divisor = options["sampleWeights"].sum()
        else:
            divisor = losses.numel()
        loss = reduced(losses, reduction, divisor)
        gradients = backward(loss, [leaves[key] for key in wrt], options.get("upstream"))
        if self.theirs and "sampleWeights" not in options and all(v.isfinite().all() for v in inputs.values()):
            theirs = self.theirs(*leaves.values(), options, reduction)
            close(loss, theirs, f"{self.op}: {name}")
            for ours, other in zip(gradients, backward(theirs, [leaves[key] for key in wrt], options.get("upstream"))):
                close(ours, other, f"{self.op}: {name}", 1e-10)
        expected = {"loss": loss}
        for key, gradient in zip(wrt, gradients):
            expected["gradient" if not self.differentiable else f"gradients.{key}"] = gradient
        self.file.case(name, self.op, inputs, {**options, "gradient": True}, expected)

    def reductions(self, name, inputs, upstream, **options):
        """The three reductions, the unreduced one with an upstream of the loss's shape, the sum with a scalar one."""
        prefix = f"{name} " if name else ""
        self.add(f"{prefix}none", inputs, reduction="none", upstream=upstream, **options)
        self.add(f"{prefix}mean", inputs, reduction="mean", **options)
        self.add(f"{prefix}sum", inputs, reduction="sum", upstream=-0.75, **options)


    def pair(self, name, inputs, upstream, **options):
        """The unreduced loss and the mean."""
        self.add(f"{name} none", inputs, reduction="none", upstream=upstream, **options)
        self.add(f"{name} mean", inputs, reduction="mean", **options)


def class_losses():
    file = File("class-losses", 5)
    masked = f32([[0.5, -INF, 2, 0.25], [-INF, 1, -INF, 0], [0.25, 0.5, -1, 2]])
    special = f32([[0.5, -1, 2, 0.25], [NAN, 1, 0.5, 0], [0.25, INF, -1, 2], [-INF] * 4, [1, 0.5, -0.25, 0]])
    logits, image = file.normal([4, 5], 2), file.normal([2, 4, 2], 2)
    targets, image_targets = torch.tensor([1, 4, 0, 2]), file.integers([2, 2], 4)
    upstream, image_upstream = file.normal([4]), file.normal([2, 2])
    samples = file.uniform([4], 0.25, 2)
    weights, image_weights = file.uniform([5], 0.25, 2), file.uniform([4], 0.25, 2)

    def picked(x, targets, options):
        return x.gather(options.get("axis", -1), targets.unsqueeze(options.get("axis", -1))).squeeze(options.get("axis", -1))

    # nllLoss. Ignored rows are left out before anything is multiplied.
    def counted(targets, options):
        return targets != options.get("ignoreIndex", -100)

    def nll(x, targets, options):
        mask = counted(targets, options)
        safe = torch.where(mask, targets, torch.zeros_like(targets))
        weight = options.get("classWeights", all_ones([x.shape[options.get("axis", -1)]]))[safe]
        chosen = picked(x, safe, options)
        return torch.where(mask, -weight * torch.where(mask, chosen, torch.zeros_like(chosen)), torch.zeros_like(chosen))

    def nll_divisor(inputs, options):
        mask = counted(inputs["targets"], options)
        safe = torch.where(mask, inputs["targets"], 0)
        classes = inputs["logProbabilities"].shape[options.get("axis", -1)]
        weight = options.get("classWeights", all_ones([classes]))[safe] * options.get("sampleWeights", all_ones(mask.shape))
        return (weight * mask).sum()

    def nll_theirs(x, targets, options, reduction):
        x, ignore = x.movedim(options.get("axis", -1), 1), options.get("ignoreIndex", -100)
        return F.nll_loss(x, targets, options.get("classWeights"), ignore_index=ignore, reduction=reduction)

    losses = Losses(file, "nllLoss", nll, theirs=nll_theirs, divisor=nll_divisor)
    logs, image_logs = f32(logits.log_softmax(1)), f32(image.log_softmax(1))
    some = torch.tensor([1, -100, 0, 3])
    both, image_both = {"logProbabilities": logs, "targets": some}, {"logProbabilities": image_logs, "targets": image_targets}
    losses.reductions("", both, upstream)
    losses.reductions("classWeights", both, upstream, classWeights=weights)
    losses.pair("sampleWeights", both, upstream, classWeights=weights, sampleWeights=samples)
    losses.pair("axis 1", image_both, image_upstream, axis=1, classWeights=image_weights)
    losses.add("ignoreIndex 1", {"logProbabilities": logs, "targets": targets}, ignoreIndex=1)
    finite = f32([[0, -INF, -1], [-0.5, -1, -2]])
    losses.add("a masked target", {"logProbabilities": finite, "targets": torch.tensor([1, 0])}, reduction="none")

    # focalLoss: -alpha_t (1 - p_t)^gamma log p_t, Lin et al. 2017, Focal Loss for Dense Object Detection, eq. 5, over the
    # softmax. 1 - p_t is the sum of the others, which keeps its digits.
    def focal(x, targets, options):
        axis = options.get("axis", -1)
        classes = x.shape[axis]
        logs = F.log_softmax(x, axis)
        other = 1 - F.one_hot(targets, classes).double().movedim(-1, axis)
        rest = (logs.exp() * other).sum(axis)
        alpha = options.get("alpha", all_ones([classes]))[targets]
        return -alpha * rest ** options.get("gamma", 2) * picked(logs, targets, options)

    losses = Losses(file, "focalLoss", focal)
    both = {"logits": logits, "targets": targets}
    losses.reductions("", both, upstream)
    losses.reductions("gamma 3.5, alpha", both, upstream, gamma=3.5, alpha=weights)
    losses.pair("sampleWeights", both, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logits": image, "targets": image_targets}, image_upstream, axis=1, alpha=image_weights, gamma=1)
    losses.add("gamma 0 is cross-entropy", both, gamma=0)
    losses.add("masked", {"logits": masked, "targets": torch.tensor([2, 1, 3])}, reduction="none")
    losses.add("special rows", {"logits": special, "targets": torch.tensor([1, 2, 3, 1, 0])}, reduction="none")

    # klDivergence: sum t (log t - log q), q the softmax of logits / temperature (Kullback and Leibler 1951); not scaled by
    # temperature^2. 0 log 0 is 0. It is torch's kl_div summed over the classes.
    def kl(x, targets, options):
        axis = options.get("axis", -1)
        _, safe = log_softmax_safe((x / options.get("temperature", 1)).movedim(axis, -1))
        t = targets.movedim(axis, -1)
        return (torch.special.xlogy(t, t) - t * safe).sum(-1)

    def kl_theirs(x, targets, options, reduction):
        axis = options.get("axis", -1)
        found = F.kl_div(F.log_softmax(x / options.get("temperature", 1), axis), targets, reduction="none").sum(axis)
        return reduced(found, "mean" if reduction == "batchmean" else reduction, found.numel())

    losses = Losses(file, "klDivergence", kl, theirs=kl_theirs)
    teacher, image_teacher = file.probabilities([4, 5]), file.probabilities([2, 4, 2], 1)
    teacher[2] = f32([0, 0.5, 0, 0.25, 0.25])
    both = {"logits": logits, "targetProbabilities": teacher}
    losses.reductions("", both, upstream)
    losses.reductions("temperature 2.5", both, upstream, temperature=2.5)
    losses.pair("sampleWeights", both, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logits": image, "targetProbabilities": image_teacher}, image_upstream, axis=1, temperature=0.5)
    losses.add("batchmean", both, reduction="batchmean", upstream=2)
    losses.add("batchmean, sampleWeights", both, reduction="batchmean", sampleWeights=samples)
    uneven = {"logits": logits, "targetProbabilities": file.uniform([4, 5])}
    losses.add("targets that do not sum to one", uneven, reduction="none")
    none_there = f32([[0.25, 0, 0.5, 0.25], [0, 0.75, 0, 0.25], [0.25, 0.25, 0.25, 0.25]])
    losses.add("masked, no mass there", {"logits": masked, "targetProbabilities": none_there}, reduction="none")
    everywhere = f32([[0.25, 0.125, 0.5, 0.125]] * 5)
    losses.add("special rows", {"logits": special, "targetProbabilities": everywhere}, reduction="none")

    # jsDivergence: (KL(P || M) + KL(Q || M)) / 2 with M = (P + Q) / 2, in nats; Lin 1991, Divergence Measures Based on the
    # Shannon Entropy, eq. 4.1 with equal weights.
    def js(a, b, options):
        axis = options.get("axis", -1)
        (log_p, safe_p), (log_q, safe_q) = (log_softmax_safe(x.movedim(axis, -1)) for x in (a, b))
        p, q = log_p.exp(), log_q.exp()
        m = (p + q) / 2
        log_m = torch.where(m == 0, torch.zeros_like(m), torch.where(m == 0, torch.ones_like(m), m).log())
        return ((p * (safe_p - log_m) + q * (safe_q - log_m)) / 2).sum(-1)

    losses = Losses(file, "jsDivergence", js, ("logitsA", "logitsB"))
    both = {"logitsA": logits, "logitsB": file.normal([4, 5], 2)}
    losses.reductions("", both, upstream)
    losses.pair("sampleWeights", both, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logitsA": image, "logitsB": file.normal([2, 4, 2], 2)}, image_upstream, axis=1)
    other = f32([[0.5, 1, -INF, 0.25], [-INF, 1, -INF, 0.5], [0.25, 0.5, -1, 1]])
    losses.add("masked in one or both", {"logitsA": masked, "logitsB": other}, reduction="none")
    losses.add("special rows", {"logitsA": special, "logitsB": file.normal([5, 4])}, reduction="none")

    # entropyLoss: -sum p log p, in nats (Shannon 1948); 0 log 0 is 0.
    losses = Losses(file, "entropyLoss", lambda x, options: entropy_of(x, options.get("axis", -1)))
    losses.reductions("", {"logits": logits}, upstream)
    losses.pair("sampleWeights", {"logits": logits}, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logits": image}, image_upstream, axis=1)
    losses.add("masked", {"logits": masked}, reduction="none")
    losses.add("special rows", {"logits": special}, reduction="none")

    # multiMarginLoss, as torch has it; 'mean' over the rows.
    def multi_margin(x, targets, options):
        axis, p = options.get("axis", -1), options.get("p", 1)
        classes = x.shape[axis]
        others = 1 - F.one_hot(targets, classes).double().movedim(-1, axis)
        terms = (options.get("margin", 1) - picked(x, targets, options).unsqueeze(axis) + x).clamp(min=0) ** p
        weight = options.get("classWeights", all_ones([classes]))[targets]
        return weight * (terms * others).sum(axis) / classes

    def multi_margin_theirs(x, targets, options, reduction):
        axis = options.get("axis", -1)
        rows, moved = rows_last(x, axis)
        found = F.multi_margin_loss(rows, targets.flatten(), p=options.get("p", 1), margin=options.get("margin", 1),
                                    weight=options.get("classWeights"), reduction=reduction)
        return found.reshape(moved[:-1]) if reduction == "none" else found

    losses = Losses(file, "multiMarginLoss", multi_margin, theirs=multi_margin_theirs)
    both = {"logits": logits, "targets": targets}
    losses.reductions("", both, upstream)
    losses.reductions("p 2, margin 0.5, classWeights", both, upstream, p=2, margin=0.5, classWeights=weights)
    losses.pair("sampleWeights", both, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logits": image, "targets": image_targets}, image_upstream, axis=1, classWeights=image_weights)

    # brierLoss: sum over the classes of (p - t)^2, Brier 1950, Verification of Forecasts Expressed in Terms of Probability.
    def brier(x, targets, options):
        axis = options.get("axis", -1)
        t = F.one_hot(targets, x.shape[axis]).double().movedim(-1, axis) if targets.dtype == torch.int64 else targets
        return ((x.softmax(axis) - t) ** 2).sum(axis)

    losses = Losses(file, "brierLoss", brier)
    losses.reductions("", both, upstream)
    losses.pair("sampleWeights", both, upstream, sampleWeights=samples)
    losses.pair("axis 1", {"logits": image, "targets": image_targets}, image_upstream, axis=1)
    losses.reductions("soft targets", {"logits": logits, "targets": teacher}, upstream)
    losses.add("masked", {"logits": masked, "targets": torch.tensor([2, 0, 3])}, reduction="none")
    losses.add("special rows", {"logits": special, "targets": torch.tensor([1, 2, 3, 1, 0])}, reduction="none")
    file.write()


def entropy_of(x, axis):
    logs, safe = log_softmax_safe(x.movedim(axis, -1))
    return -(logs.exp() * safe).sum(-1)


def elementwise_losses():
    file = File("elementwise-losses", 6)
    shape = [3, 4]
    upstream = file.normal(shape)
    weights = file.uniform([4], 0.25, 2)
    full = file.uniform(shape, 0.25, 2)

    def weighted(losses, options):
        return losses * options["weights"] if "weights" in options else losses

    def all_with_weights(losses, name, inputs, **options):
        prefix = f"{name}, " if name else ""
        losses.reductions(name, inputs, upstream, **options)
        losses.pair(f"{prefix}weights of a row", inputs, upstream, weights=weights, **options)
        losses.add(f"{prefix}weights of every element", inputs, weights=full, **options)

    # binaryCrossEntropy: torch's, written with log-sigmoids, whose derivative keeps the digits of a confident logit.
    def bce(x, targets, options):
        positive = options.get("posWeight", 1.0)
        return weighted(-(positive * targets * F.logsigmoid(x) + (1 - targets) * F.logsigmoid(-x)), options)

    def bce_theirs(x, targets, options, reduction):
        return F.binary_cross_entropy_with_logits(
            x, targets, options.get("weights"), pos_weight=options.get("posWeight"), reduction=reduction)

    x = file.normal(shape, 3)
    x[0, 0], x[0, 1], x[0, 2], x[0, 3] = 30, -30, 30, -30
    targets = file.uniform(shape)
    targets[0] = f32([1, 0, 0, 1])
    targets[1] = f32([1, 0, 1, 0])
    losses = Losses(file, "binaryCrossEntropy", bce, theirs=bce_theirs)
    all_with_weights(losses, "", {"logits": x, "targets": targets})
    all_with_weights(losses, "posWeight", {"logits": x, "targets": targets}, posWeight=file.uniform([4], 0.5, 4))

    # sigmoidFocalLoss: torchvision.ops.sigmoid_focal_loss; 1 - p_t written as the positive sum that it is.
    def sigmoid_focal(x, targets, options):
        alpha = options.get("alpha", 0.25)
        rest = x.sigmoid() * (1 - targets) + (-x).sigmoid() * targets
        found = bce(x, targets, {}) * rest ** options.get("gamma", 2)
        if alpha is not None and alpha >= 0:
            found = found * (alpha * targets + (1 - alpha) * (1 - targets))
        return weighted(found, options)

    def sigmoid_focal_theirs(x, targets, options, reduction):
        alpha, p = options.get("alpha", 0.25), x.sigmoid()
        found = F.binary_cross_entropy_with_logits(x, targets, reduction="none")
        found = found * (1 - (p * targets + (1 - p) * (1 - targets))) ** options.get("gamma", 2)
        if alpha is not None and alpha >= 0:
            found = (alpha * targets + (1 - alpha) * (1 - targets)) * found
        return reduced(weighted(found, options), reduction, found.numel())

    losses = Losses(file, "sigmoidFocalLoss", sigmoid_focal, theirs=sigmoid_focal_theirs)
    moderate = {"logits": file.normal(shape, 2), "targets": file.integers(shape, 2).double()}
    all_with_weights(losses, "", moderate)
    losses.reductions("alpha 0.75, gamma 3.5", moderate, upstream, alpha=0.75, gamma=3.5)
    losses.reductions("alpha null", moderate, upstream, alpha=None)
    losses.add("alpha -1", moderate, alpha=-1)
    losses.add("alpha 0", moderate, alpha=0)
    losses.add("gamma 0", moderate, gamma=0)
    losses.add("soft targets", {"logits": moderate["logits"], "targets": targets})

    # klDivLoss: torch's; 'batchmean' divides by the first axis.
    def kl_div(x, targets, options):
        if options.get("logTarget"):
            return weighted(targets.exp() * (targets - x), options)
        return weighted(torch.special.xlogy(targets, targets) - targets * x, options)

    def kl_div_theirs(x, targets, options, reduction):
        found = F.kl_div(x, targets, reduction="none", log_target=bool(options.get("logTarget")))
        return reduced(weighted(found, options), reduction, found.shape[0] if reduction == "batchmean" else found.numel())

    losses = Losses(file, "klDivLoss", kl_div, theirs=kl_div_theirs)
    logs, q = f32(file.normal(shape).log_softmax(1)), file.probabilities(shape)
    q[1, 2] = 0
    both = {"logProbabilities": logs, "targets": q}
    log_both = {"logProbabilities": logs, "targets": f32(file.normal(shape).log_softmax(1))}
    all_with_weights(losses, "", both)
    all_with_weights(losses, "logTarget", log_both, logTarget=True)
    losses.add("batchmean", both, reduction="batchmean", upstream=2)
    losses.add("batchmean, logTarget", log_both, reduction="batchmean", logTarget=True)
    cube = {"logProbabilities": f32(file.normal([3, 2, 2]).log_softmax(2)), "targets": file.probabilities([3, 2, 2])}
    losses.add("batchmean, [3, 2, 2]", cube, reduction="batchmean")

    # hingeLoss: max(0, margin - t x), or its square; Cortes and Vapnik 1995; scikit-learn's hinge and squared_hinge.
    def hinge(x, targets, options):
        found = (options.get("margin", 1) - targets * x).clamp(min=0)
        return weighted(found**2 if options.get("squared") else found, options)

    losses = Losses(file, "hingeLoss", hinge)
    both = {"scores": file.normal(shape, 1.5), "targets": file.signs(shape)}
    all_with_weights(losses, "", both)
    losses.reductions("squared, margin 0.5", both, upstream, squared=True, margin=0.5)

    def hinge_embedding(x, targets, options):
        return weighted(torch.where(targets == 1, x, (options.get("margin", 1) - x).clamp(min=0)), options)

    def hinge_embedding_theirs(x, targets, options, reduction):
        found = F.hinge_embedding_loss(x, targets, margin=options.get("margin", 1), reduction="none")
        return reduced(weighted(found, options), reduction, found.numel())

    losses = Losses(file, "hingeEmbeddingLoss", hinge_embedding, theirs=hinge_embedding_theirs)
    both = {"x": file.normal(shape, 1.5), "targets": file.signs(shape)}
    all_with_weights(losses, "", both)
    losses.reductions("margin 2.5", both, upstream, margin=2.5)

    def squared_error(x, targets, options):
        return weighted((x - targets) ** 2, options)

    losses = Losses(file, "meanSquaredError", squared_error, theirs=lambda x, targets, options, reduction: reduced(
        weighted(F.mse_loss(x, targets, reduction="none"), options), reduction, x.numel()))
    all_with_weights(losses, "", {"x": file.normal(shape), "targets": file.normal(shape)})
    file.write()


def embedding_losses():
    file = File("embedding-losses", 7)
    n, d = 4, 3
    upstream, samples = file.normal([n]), file.uniform([n], 0.25, 2)

    # tripletMarginLoss: torch's, eps added to each difference.
    def triplet(anchor, positive, negative, options):
        p, eps = options.get("p", 2), options.get("eps", 1e-6)
        far = lambda a, b: ((a - b + eps).abs() ** p).sum(-1) ** (1 / p)
        negative_distance = far(anchor, negative)
        if options.get("swap"):
            negative_distance = torch.minimum(negative_distance, far(positive, negative))
        return (options.get("margin", 1) + far(anchor, positive) - negative_distance).clamp(min=0)

    def triplet_theirs(a, b, c, options, reduction):
        return F.triplet_margin_loss(
            a, b, c, margin=options.get("margin", 1), p=options.get("p", 2), eps=options.get("eps", 1e-6),
            swap=bool(options.get("swap")), reduction=reduction)

    losses = Losses(file, "tripletMarginLoss", triplet, ("anchor", "positive", "negative"), theirs=triplet_theirs)
    three = {"anchor": file.normal([n, d]), "positive": file.normal([n, d]), "negative": file.normal([n, d])}
    three["negative"][1] = f32(three["anchor"][1] + 10)  # a row beyond the margin
    three["negative"][3] = f32(three["positive"][3] + 0.25)  # a row that swap changes
    losses.reductions("", three, upstream)
    losses.reductions("swap", three, upstream, swap=True)
    losses.reductions("p 1, margin 2.5", three, upstream, p=1, margin=2.5)
    losses.reductions("p 3, eps 2^-10", three, upstream, p=3, eps=2.0**-10)
    losses.pair("sampleWeights", three, upstream, sampleWeights=samples)

    # contrastiveLoss: D^2 / 2 for a similar pair, max(0, margin - D)^2 / 2 for the others, D the Euclidean distance;
    # Hadsell, Chopra and LeCun 2006, Dimensionality Reduction by Learning an Invariant Mapping, eq. 4 (whose Y is 0 for
    # similar; here `similar` is 1).
    def contrastive(a, b, similar, options):
        distance = ((a - b) ** 2).sum(-1).sqrt()
        apart = (options.get("margin", 1) - distance).clamp(min=0) ** 2
        return torch.where(similar == 1, distance**2, apart) / 2

    losses = Losses(file, "contrastiveLoss", contrastive, ("x1", "x2"))
    x1 = file.normal([n, d])
    pair = {"x1": x1, "x2": f32(x1 + file.normal([n, d], 0.25)), "similar": torch.tensor([1, 0, 1, 0])}
    pair["x2"][3] = f32(x1[3] + 1)  # beyond the margin
    losses.reductions("", pair, upstream)
    losses.reductions("margin 2.5", pair, upstream, margin=2.5)
    losses.pair("sampleWeights", pair, upstream, sampleWeights=samples)

    # cosineEmbeddingLoss: torch's; it adds 1e-12 to the squared lengths.
    def cosine(a, b, targets, options):
        similarity = (a * b).sum(-1) / (((a * a).sum(-1) + 1e-12) * ((b * b).sum(-1) + 1e-12)).sqrt()
        return torch.where(targets == 1, 1 - similarity, (similarity - options.get("margin", 0)).clamp(min=0))

    def cosine_theirs(a, b, targets, options, reduction):
        return F.cosine_embedding_loss(a, b, targets, margin=options.get("margin", 0), reduction=reduction)

    losses = Losses(file, "cosineEmbeddingLoss", cosine, ("x1", "x2"), theirs=cosine_theirs)
    pair = {"x1": file.normal([n, d]), "x2": file.normal([n, d]), "targets": f32([1, -1, -1, 1])}
    pair["x2"][2] = f32(pair["x1"][2] + 0.5)  # alike, and should not be
    losses.reductions("", pair, upstream)
    losses.reductions("margin 0.5", pair, upstream, margin=0.5)
    losses.pair("sampleWeights", pair, upstream, sampleWeights=samples)

    def ranking(a, b, targets, options):
        return (options.get("margin", 0) - targets * (a - b)).clamp(min=0)

    def ranking_theirs(a, b, targets, options, reduction):
        return F.margin_ranking_loss(a, b, targets, margin=options.get("margin", 0), reduction=reduction)

    losses = Losses(file, "marginRankingLoss", ranking, ("x1", "x2"), theirs=ranking_theirs)
    pair = {"x1": file.normal([n]), "x2": file.normal([n]), "targets": f32([1, -1, -1, 1])}
    losses.reductions("", pair, upstream)
    losses.reductions("margin 0.75", pair, upstream, margin=0.75)

    # infoNCE: cross-entropy of q k^T / temperature with the diagonal as target, of the vectors as given (not normalised);
    # van den Oord et al. 2018, Representation Learning with Contrastive Predictive Coding, eq. 4, with the dot product and
    # temperature of He et al. 2020, Momentum Contrast, eq. 1.
    def info_nce(queries, keys, options):
        scores = queries @ keys.T / options.get("temperature", 0.07)
        return F.cross_entropy(scores, torch.arange(len(queries)), reduction="none")

    losses = Losses(file, "infoNCE", info_nce, ("queries", "keys"))
    pair = {"queries": file.normal([n, d], 0.5), "keys": file.normal([n, d], 0.5)}
    losses.reductions("temperature 0.5", pair, upstream, temperature=0.5)
    losses.reductions("temperature 0.5, sampleWeights", pair, upstream, temperature=0.5, sampleWeights=samples)
    unit = {key: f32(F.normalize(file.normal([n, d]), dim=1)) for key in ("queries", "keys")}
    losses.add("the default temperature, unit vectors", unit)
    file.write()


def derivatives():
    file = File("derivatives", 8)
    shapes = [([4, 7], 1), ([2, 3, 5], 0), ([2, 4, 3], 1), ([3, 1], 1)]
    masked = f32([[0.5, -INF, 2, 0.25], [-INF, 1, -INF, 0], [0.25, 0.5, -1, 2]])
    special = f32([[0.5, -1, 2, 0.25], [NAN, 1, 0.5, 0], [0.25, INF, -1, 2], [-INF] * 4, [1, 0.5, -0.25, 0]])
    upstream_of_five = f32([1.5, -0.25, 0.5, 1, -2])

    def where(shape, axis):
        return {} if axis == len(shape) - 1 else {"axis": axis}

    def nan_rows(gradient, logits):
        """Autograd leaves zeros in some rows that the contract makes NaN throughout."""
        bad = logits.isnan().any(1) | (logits == INF).any(1) | (logits == -INF).all(1)
        return torch.where(bad.reshape(-1, 1), torch.full_like(gradient, NAN), gradient)

    for shape, axis in shapes:
        x = file.normal(shape, 2)
        file.case(shape_name(shape, axis), "entropy", {"logits": x}, where(shape, axis), {"result": entropy_of(x, axis)})
    file.case("masked", "entropy", {"logits": masked}, {}, {"result": entropy_of(masked, 1)})
    file.case("special rows", "entropy", {"logits": special}, {}, {"result": entropy_of(special, 1)})

    # Of the probabilities as given (float32, so their sum is only nearly one): torch's own backward of softmax.
    for op, forward, name, theirs in (
        ("softmaxGradient", F.softmax, "probabilities", torch._softmax_backward_data),
        ("logSoftmaxGradient", F.log_softmax, "logProbabilities", torch._log_softmax_backward_data),
    ):
        for shape, axis, temperature in [(s, a, 1) for s, a in shapes] + [([4, 7], 1, 0.75), ([2, 4, 3], 1, 2.5)]:
            x, upstream = file.normal(shape, 2), file.normal(shape)
            found = f32(forward(x / temperature, axis))
            expected = theirs(upstream, found, axis, torch.float64) / temperature
            options = {**where(shape, axis), **({"temperature": temperature} if temperature != 1 else {})}
            title = shape_name(shape, axis) + (f" temperature {temperature}" if temperature != 1 else "")
            file.case(title, op, {name: found, "upstream": upstream}, options, {"result": expected})
            leaf = x.clone().requires_grad_()
            close(backward(forward(leaf / temperature, axis), [leaf], upstream)[0], expected, op, 1e-5)
        for title, x in (("masked", masked), ("special rows", special)):
            found, upstream = f32(forward(x, 1)), file.normal(list(x.shape))
            expected = nan_rows(theirs(upstream, found, 1, torch.float64), x)
            file.case(title, op, {name: found, "upstream": upstream}, {}, {"result": expected})

    for op, forward in (("logSumExpGradient", lambda x, axis: x.logsumexp(axis)), ("entropyGradient", entropy_of)):
        for shape, axis in shapes:
            x = file.normal(shape, 2).requires_grad_()
            found = forward(x, axis)
            upstream = file.normal(list(found.shape))
            expected = backward(found, [x], upstream)[0]
            inputs = {"logits": x.detach(), "upstream": upstream}
            file.case(shape_name(shape, axis), op, inputs, where(shape, axis), {"result": expected})
        for title, x, upstream in (("masked", masked, f32([1.5, -0.25, 0.5])), ("special rows", special, upstream_of_five)):
            x = x.clone().requires_grad_()
            expected = nan_rows(backward(forward(x, 1), [x], upstream)[0], x.detach())
            file.case(title, op, {"logits": x.detach(), "upstream": upstream}, {}, {"result": expected})
    file.write()


if __name__ == "__main__":
    torch.set_num_threads(1)
    probabilities()
    predictions()
    cross_entropy()
    cross_entropy_options()
    class_losses()
    elementwise_losses()
    embedding_losses()
    derivatives()
