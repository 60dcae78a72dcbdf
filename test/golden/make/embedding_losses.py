"""The losses of embeddings."""
import torch
import torch.nn.functional as F

from make.golden_file import File
from make.losses import Losses
from make.numbers import f32


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
