"""crossEntropy of integer targets."""
import torch
import torch.nn.functional as F

from make.exact import exact_cross_entropy
from make.golden_file import File
from make.inputs import SHAPES, all_ones, hard_inputs, peaked, special_rows
from make.numbers import INF, NAN, close, f32
from make.rows import rows_back, rows_last, shape_name


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
