"""softmax, logSoftmax and logSumExp."""
import torch.nn.functional as F

from make.exact import exact_log_softmax, exact_log_sum_exp, exact_softmax, tempered
from make.golden_file import File
from make.inputs import SHAPES, hard_inputs
from make.numbers import INF, NAN, close, f32
from make.rows import map_rows, reduce_rows, rows_last, shape_name


def probabilities():
    file = File("probabilities", 1)
    torch_of = {"softmax": F.softmax, "logSoftmax": F.log_softmax}
    exact_of = {"softmax": exact_softmax, "logSoftmax": exact_log_softmax}

    def check(op, x, axis, temperature, expected):
        rows, moved = rows_last(x, axis)
        keep = ~(rows.isnan().any(1) | (rows == INF).any(1))
        theirs = torch_of[op](rows[keep] / temperature, dim=1)
        close(rows_last(expected, axis)[0][keep], theirs, op)

    for op in ("softmax", "logSoftmax"):
        for shape, axis in SHAPES:
            x = file.normal(shape, 2)
            expected = map_rows(exact_of[op], x, axis)
            check(op, x, axis, 1, expected)
            options = {} if axis == len(shape) - 1 else {"axis": axis}
            file.case(shape_name(shape, axis), op, {"logits": x}, options, {"result": expected})
        for name, x in hard_inputs(file):
            expected = map_rows(exact_of[op], x, 1)
            check(op, x, 1, 1, expected)
            file.case(name, op, {"logits": x}, {}, {"result": expected})
        for shape, axis, temperature in [([4, 7], -1, 0.5), ([4, 7], -1, 2.5), ([2, 4, 3], 1, 4), ([2, 3, 5], -3, 0.75)]:
            x = file.normal(shape, 2)
            expected = map_rows(lambda row: exact_of[op](tempered(row, temperature)), x, axis)
            check(op, x, axis, temperature, expected)
            options = {"axis": axis, "temperature": temperature}
            title = f"{shape_name(shape, axis)} temperature {temperature}"
            file.case(title, op, {"logits": x}, options, {"result": expected})
        # Over the temperature these leave float32, their differences do not.
        x = f32([[3e38, 3e38, 3e38, 3e38], [-3e38, -3e38, -3e38, -INF]])
        expected = map_rows(lambda row: exact_of[op](tempered(row, 0.5)), x, 1)
        file.case("3e38 temperature 0.5", op, {"logits": x}, {"temperature": 0.5}, {"result": expected})
    x = f32([[3e38, -3e38, 0, 3e38], [-3e38, 3e38, -INF, 1]])
    file.case("differences beyond float32", "softmax", {"logits": x}, {}, {"result": map_rows(exact_softmax, x, 1)})

    for shape, axis in SHAPES:
        x = file.normal(shape, 2)
        expected = reduce_rows(exact_log_sum_exp, x, axis)
        close(expected, x.logsumexp(axis))
        options = {} if axis == len(shape) - 1 else {"axis": axis}
        file.case(shape_name(shape, axis), "logSumExp", {"logits": x}, options, {"result": expected})
    for name, x in hard_inputs(file):
        expected = reduce_rows(exact_log_sum_exp, x, 1)
        close(expected, x.logsumexp(1), name)
        file.case(name, "logSumExp", {"logits": x}, {}, {"result": expected})
    x = file.normal([6], 2)
    file.case("one dimension", "logSumExp", {"logits": x}, {}, {"result": reduce_rows(exact_log_sum_exp, x, 0)})

    for shape in ([4, 7], [2, 3, 5], [9]):
        x = file.normal(shape, 3)
        file.case(str(shape), "sigmoid", {"logits": x}, {}, {"result": x.sigmoid()})
    x = f32([0.0, -0.0, 80, -80, 20, -20, 1e-6, -1e-6, 3e38, INF, -INF, NAN])
    file.case("extremes", "sigmoid", {"logits": x}, {}, {"result": x.sigmoid()})
    file.case("a scalar", "sigmoid", {"logits": f32(0.75)}, {}, {"result": f32(0.75).sigmoid()})
    file.write()
