"""Gradients that are functions of their own, and entropy."""
import torch
import torch.nn.functional as F

from make.golden_file import File
from make.losses import backward, entropy_of
from make.numbers import INF, NAN, close, f32
from make.rows import shape_name


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
