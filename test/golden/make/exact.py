"""One row at a time, in 60 decimal digits."""
import math
from decimal import Decimal, getcontext

from make.numbers import INF, NAN

getcontext().prec = 60


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
