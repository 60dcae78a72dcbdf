#!/usr/bin/env python3
"""Makes training.json beside it: steps of PyTorch's optimizers and schedules, in float64.

Run it from anywhere:   python3 test/golden/make_training.py      (needs torch, on the CPU)
Made with:              torch 1.13.0 (Debian 12) and Python 3.11.

optimizers: each variant walks the same 50 gradients (no loss: the gradients are given), recorded after some steps.
heads: a linear head on twelve rows, the cross-entropy's mean, all rows at each step; weight and bias after some steps.
schedules: factors of the learning rate, step by step.
"""
import json
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = [1, 2, 3, 10, 25, 50]
VARIANTS = {
    "sgd": ("sgd", {"learningRate": 0.1}),
    "sgd, weightDecay": ("sgd", {"learningRate": 0.1, "weightDecay": 0.25}),
    "sgd, momentum": ("sgd", {"learningRate": 0.0625, "momentum": 0.9}),
    "sgd, momentum and dampening": ("sgd", {"learningRate": 0.0625, "momentum": 0.9, "dampening": 0.5}),
    "sgd, nesterov and weightDecay": (
        "sgd",
        {"learningRate": 0.0625, "momentum": 0.875, "nesterov": True, "weightDecay": 0.125},
    ),
    "adam": ("adam", {"learningRate": 0.01}),
    "adam, betas, eps and weightDecay": (
        "adam",
        {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weightDecay": 0.125},
    ),
    "adam, amsgrad": ("adam", {"learningRate": 0.01, "beta2": 0.75, "amsgrad": True}),
    "adamW": ("adamW", {"learningRate": 0.01}),
    "adamW, weightDecay and amsgrad": ("adamW", {"learningRate": 0.02, "weightDecay": 0.5, "beta2": 0.75, "amsgrad": True}),
}
NAMES = {"learningRate": "lr", "weightDecay": "weight_decay"}
MAKERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamW": torch.optim.AdamW}


def optimizer(name, options, parameters):
    own = {NAMES.get(key, key): value for key, value in options.items() if not key.startswith("beta")}
    if name != "sgd":
        own["betas"] = (options.get("beta1", 0.9), options.get("beta2", 0.999))
    return MAKERS[name](parameters, **own)


def floats(shape, generator, scale=1.0):
    """Numbers that float32 holds."""
    return (torch.randn(shape, generator=generator) * scale).float().double()


def walk(name, options, start, gradients):
    parameter = start.clone().requires_grad_()
    made = optimizer(name, options, [parameter])
    path = []
    for step, gradient in enumerate(gradients, 1):
        parameter.grad = gradient.clone()
        made.step()
        if step in RECORDED:
            path.append(parameter.detach().tolist())
    return path


def train(name, options, features, targets, weight, bias):
    weight, bias = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    made = optimizer(name, options, [weight, bias])
    path = []
    for step in range(1, 51):
        made.zero_grad()
        loss = torch.nn.functional.cross_entropy(features @ weight.T + bias, targets)
        loss.backward()
        made.step()
        if step in RECORDED:
            path.append({"loss": loss.item(), "weight": weight.flatten().tolist(), "bias": bias.tolist()})
    return path


def factors(make, steps):
    parameter = torch.zeros(1, requires_grad=True)
    made = torch.optim.SGD([parameter], lr=1.0)
    schedule = make(made)
    result = []
    for _ in range(steps):
        result.append(made.param_groups[0]["lr"])
        made.step()
        schedule.step()
    return result


def main():
    generator = torch.Generator().manual_seed(11)
    start = floats(6, generator)
    gradients = [floats(6, generator, scale) for scale in [1.0, 4.0, 0.01, 1.0, 0.25] * 10]
    features, targets = floats((12, 5), generator), torch.arange(12) % 3
    weight, bias = floats((3, 5), generator, 0.5), floats(3, generator, 0.5)
    lr = torch.optim.lr_scheduler
    data = {
        "torch": torch.__version__,
        "recorded": RECORDED,
        "start": start.tolist(),
        "gradients": [g.tolist() for g in gradients],
        "optimizers": [
            {"name": name, "optimizer": made, "options": options, "path": walk(made, options, start, gradients)}
            for name, (made, options) in VARIANTS.items()
        ],
        "head": {
            "features": features.tolist(),
            "targets": targets.tolist(),
            "weight": weight.tolist(),
            "bias": bias.tolist(),
        },
        "heads": [
            {"name": name, "optimizer": made, "options": options, "path": train(made, options, features, targets, weight, bias)}
            for name, (made, options) in {
                "sgd, momentum": ("sgd", {"learningRate": 0.1, "momentum": 0.9}),
                "adamW": ("adamW", {"learningRate": 0.01}),
            }.items()
        ],
        "schedules": {
            "step": factors(lambda o: lr.StepLR(o, 3, 0.5), 10),
            "cosine": factors(lambda o: lr.CosineAnnealingLR(o, 10, eta_min=0.1), 10),
            "warmup": factors(lambda o: lr.LinearLR(o, 0.25, total_iters=4), 10),
            "oneCycle": factors(lambda o: lr.OneCycleLR(o, 1.0, total_steps=10, cycle_momentum=False), 10),
        },
    }
    with open(os.path.join(HERE, "training.json"), "w") as file:
        json.dump(data, file, separators=(",", ":"))
        file.write("\n")


main()
