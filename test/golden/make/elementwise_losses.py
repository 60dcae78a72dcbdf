"""The losses of single elements."""
import torch
import torch.nn.functional as F

from make.golden_file import File
from make.losses import Losses, reduced
from make.numbers import f32


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
