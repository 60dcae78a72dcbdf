#!/usr/bin/env python3
"""Makes the golden files beside it: small inputs, and the answers that the library is held to.

Run it from anywhere:   python3 test/golden/make_golden.py      (needs torch, on the CPU; some seconds)
Made with:              torch 1.13.0 (Debian 12) and Python 3.11. Each file records its torch version.

The answers are PyTorch's, in float64, from inputs that float32 can hold, so that a float32 library sees the very same
numbers. Gradients are autograd's. Where make/ has a formula instead, its source is named there, and the formula is
held against PyTorch's own function wherever there is one. Three things differ from a plain call:

* The softmax family and the integer cross-entropy are evaluated in 60 decimal digits (make/exact.py) and then checked
  against PyTorch: of a confident row, log-sum-exp minus logit keeps no digit in float64.
* Numbers that are not finite follow the library's contract: a row that is all -Infinity, or holds NaN or +Infinity, is
  NaN throughout, and ignored rows have gradient 0 whatever they hold.
* Ties in argmax, argmin and topK go to the lowest index; PyTorch does not promise that, so they are written out.

A file is { torch, tensors, cases: [{ name, op, inputs, options, expected }] }: `op` is the function, `inputs` its
arguments in order, `options` its last argument, and `expected` its results by name ('result' for a bare tensor,
'gradients.anchor' for a property of a property). A tensor is { shape, dtype, data }, or { tensor } where several cases
share one, which then is that property of `tensors`; of expected ones the dtype is left out. NaN, Infinity, -Infinity and
-0 are strings. Fractions among the options are float32 numbers too, but for the documented defaults.
"""
import torch

from make.class_losses import class_losses
from make.cross_entropy import cross_entropy
from make.cross_entropy_options import cross_entropy_options
from make.derivatives import derivatives
from make.elementwise_losses import elementwise_losses
from make.embedding_losses import embedding_losses
from make.predictions import predictions
from make.probabilities import probabilities

if __name__ == "__main__":
    torch.set_num_threads(1)
    probabilities()
    predictions()
    cross_entropy()
    cross_entropy_options()
    class_losses()
    elementwise_losses()
    embedding_losses()
    derivatives()
