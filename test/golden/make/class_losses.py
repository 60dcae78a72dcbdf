"""The other losses of classes."""
import torch
import torch.nn.functional as F

from make.golden_file import File
from make.inputs import all_ones
from make.losses import Losses, entropy_of, log_softmax_safe, reduced
from make.numbers import INF, NAN, f32
from make.rows import rows_last


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
