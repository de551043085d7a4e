"""Steps of a PyTorch optimizer for PeerProcess: python -c SCRIPT CHAIN OPTIMIZER THREADS TENSORS DATA GRADIENT

OPTIMIZER is an expression over p, the list of parameters; DATA and GRADIENT are files of float32 that are split into TENSORS.
CHAIN is "step", or "epilogue" for a step with all that comes before and after it: the gradient's scale, a norm to clip to,
an average of the parameters, a bfloat16 copy, a gradient of 0. Reads commands from standard input: "step N" makes N steps
and prints the nanoseconds they took, "save FILE" writes the parameters and prints "saved".
"""

import sys
import time

import numpy
import torch

chain, optimizer, threads, tensors, data, gradient = sys.argv[1:]
torch.set_num_threads(int(threads))


def load(file):
    # Cloned into memory of PyTorch's own, which is what its users have.
    return [part.clone() for part in torch.from_numpy(numpy.fromfile(file, dtype=numpy.float32)).chunk(int(tensors))]


p = [torch.nn.Parameter(part) for part in load(data)]
gradients = load(gradient)
for each, g in zip(p, gradients):
    each.grad = g.clone()
made = eval("torch.optim." + optimizer, {"torch": torch, "p": p})
averages = [each.detach().clone() for each in p]
half_precisions = [each.detach().to(torch.bfloat16) for each in p]


# As in EpilogueBenchmark: what gradients are multiplied with at one step after the other, and what they are clipped to.
FACTORS = [1, 8, 0.25]
CLIP_NORM = 0.002 * sum(each.numel() for each in p) ** 0.5
done = 0


@torch.no_grad()
def epilogue():
    for each in p:
        each.grad.mul_(0.5)
    torch.nn.utils.clip_grad_norm_(p, CLIP_NORM)
    made.step()
    for each, average, half_precision in zip(p, averages, half_precisions):
        average.lerp_(each, 0.001)
        half_precision.copy_(each)
        each.grad.zero_()


def timed(count):
    global done
    elapsed = 0
    for _ in range(count):
        if chain == "epilogue":
            for each, g in zip(p, gradients):
                each.grad.copy_(g).mul_(FACTORS[max(done - 1, 0) % len(FACTORS)])
            done += 1
            start = time.perf_counter_ns()
            epilogue()
            elapsed += time.perf_counter_ns() - start
    if chain == "step":
        start = time.perf_counter_ns()
        for _ in range(count):
            made.step()
        elapsed = time.perf_counter_ns() - start
    return elapsed


print("PyTorch " + torch.__version__, flush=True)
for line in sys.stdin:
    command, argument = line.rstrip("\n").split(maxsplit=1)
    if command == "step":
        print(timed(int(argument)), flush=True)
    else:
        numpy.concatenate([each.detach().numpy() for each in p]).tofile(argument)
        print("saved", flush=True)
