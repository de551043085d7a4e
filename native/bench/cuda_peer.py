"""PyTorch's fused AdamW on the same GPU as panoptim_cuda_bench, in turn with it: the ratio of their times.

    cuda_peer.py PANOPTIM_CUDA_BENCH
"""
import re
import statistics
import subprocess
import sys
import time

import torch

CASES = {"one-of-1e9": (1, 10**9), "one-of-1e6": (1, 10**6), "one-of-256": (1, 256), "10000-of-10000": (10**4, 10**4)}
ROUNDS = 5


def ours(bench, case):
    said = subprocess.run([bench, case, "3"], check=True, capture_output=True, text=True).stdout
    measured = re.search(r"([0-9.]+) ms a step", said)
    return float(measured.group(1)) if measured else None


def theirs(tensors, elements):
    parameters = [torch.zeros(elements, device="cuda", requires_grad=True) for _ in range(tensors)]
    for each in parameters:
        each.grad = torch.zeros_like(each)
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2, fused=True)

    def seconds(times):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(times):
            optimizer.step()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / times

    seconds(3)
    times = max(3, int(0.25 / seconds(3)))
    milliseconds = statistics.median(seconds(times) for _ in range(3)) * 1e3
    del parameters, optimizer
    torch.cuda.empty_cache()
    return milliseconds


print(f"torch {torch.__version__} on {torch.cuda.get_device_name()}, median of {ROUNDS} rounds in turn")
for case, (tensors, elements) in CASES.items():
    if ours(sys.argv[1], case) is None:
        print(f"{case:18} skipped: the GPU has no memory for it")
        continue
    rounds = [(ours(sys.argv[1], case), theirs(tensors, elements)) for _ in range(ROUNDS)]
    mine, other = (statistics.median(times) for times in zip(*rounds))
    ratio = statistics.median(b / a for a, b in rounds)
    print(f"{case:18} {mine:10.4f} ms, torch fused {other:10.4f} ms: {ratio:.2f} times as fast")
