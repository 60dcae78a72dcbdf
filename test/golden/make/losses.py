"""What losses have in common: their reductions, their gradients, and cases of them."""
import torch
import torch.nn.functional as F

from make.numbers import INF, close


def log_softmax_safe(x):
    """(log-probabilities, the same with 0 for -Infinity): 0 x -Infinity never arises, forward or backward."""
    logs = F.log_softmax(x, dim=-1)
    return logs, torch.where(logs == -INF, torch.zeros_like(logs), logs)


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


def entropy_of(x, axis):
    logs, safe = log_softmax_safe(x.movedim(axis, -1))
    return -(logs.exp() * safe).sum(-1)
