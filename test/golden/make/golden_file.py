"""A golden file: its cases, its random numbers, and how it is written."""
import json
import math
import os

import torch

from make.numbers import f32

# The folder above.
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


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
        path = os.path.join(FOLDER, self.name + ".json")
        tensors = self.share()
        with open(path, "w") as out:  # one line a case, so that a change shows as the cases it touches
            out.write('{"torch":' + compact(torch.__version__) + ',\n"tensors":{\n')
            out.write(",\n".join(compact(key) + ":" + compact(value) for key, value in tensors.items()))
            out.write('\n},\n"cases":[\n' + ",\n".join(compact(case) for case in self.cases) + "\n]}\n")
        print(f"{self.name}.json: {len(self.cases)} cases, {os.path.getsize(path)} bytes")
