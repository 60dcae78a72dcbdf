"""The cases of bench/linear.mjs and of `npm run bench -- --cases linear` in PyTorch on the CPU, which stores the logits: median ms.

    python3 bench/linear_torch.py [threads]
"""
import statistics
import sys
import time

import torch
import torch.nn.functional as F

SIZES = [(64, 768, 1000, 15), (256, 512, 10, 50), (128, 256, 32_000, 5), (64, 64, 200_000, 5)]


def median_ms(call, rounds):
    call()
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return statistics.median(times)


def main():
    threads = int(sys.argv[1]) if len(sys.argv) > 1 else torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    print(f"PyTorch {torch.__version__}, {threads} threads")
    print("| | product | loss | loss, gradients by features and weight |")
    print("| --- | ---: | ---: | ---: |")
    for rows, depth, classes, rounds in SIZES:
        x = torch.randn(rows, depth, requires_grad=True)
        w = (torch.randn(classes, depth) * depth**-0.5).requires_grad_()
        b = torch.randn(classes) * 0.1
        targets = torch.arange(rows) * 7919 % classes

        def gradients():
            return torch.autograd.grad(F.cross_entropy(F.linear(x, w, b), targets), [x, w])

        with torch.no_grad():
            product = median_ms(lambda: F.linear(x, w, b), rounds)
            loss = median_ms(lambda: F.cross_entropy(F.linear(x, w, b), targets), rounds)
        both = median_ms(gradients, rounds)
        print(f"| N{rows} D{depth} C{classes} | {product:.2f} | {loss:.2f} | {both:.2f} |")


main()
