"""crossEntropy with all of its options."""
import torch
import torch.nn.functional as F

from make.golden_file import File
from make.inputs import all_ones, special_rows
from make.losses import backward, reduced
from make.numbers import INF, NAN, close, f32
from make.rows import first_extreme, rows_last


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
