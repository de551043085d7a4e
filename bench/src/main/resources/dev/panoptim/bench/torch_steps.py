"""Steps of a PyTorch optimizer for PeerProcess: python -c SCRIPT CHAIN OPTIMIZER THREADS TENSORS DATA GRADIENT

OPTIMIZER is an expression over p, the list of parameters; DATA and GRADIENT are files of float32 that are split into TENSORS.
CHAIN is "step", or "epilogue" for a step with gradient scale, clipping to a norm, average of the parameters, bfloat16 copy
and zeroed gradient. Reads commands from standard input: "step N" makes N steps and prints their nanoseconds, "save FILE"
writes the parameters and prints "saved".
"""

import sys
import time

import numpy
import torch

chain, optimizer, threads, tensors, data, gradient = sys.argv[1:]
torch.set_num_threads(int(threads))


def load(file):
    # Cloned into memory of PyTorch, as its users have it.
    return [part.clone() for part in torch.from_numpy(numpy.fromfile(file, dtype=numpy.float32)).chunk(int(tensors))]


p = [torch.nn.Parameter(part) for part in load(data)]
gradients = load(gradient)
for each, g in zip(p, gradients):
    each.grad = g.clone()
made = eval("torch.optim." + optimizer, {"torch": torch, "p": p})
averages = [each.detach().clone() for each in p]
copies = [each.detach().to(torch.bfloat16) for each in p]


# As in EpilogueBenchmark: factors of the gradients in successive steps, and the norm to which they are clipped.
FACTORS = [1, 8, 0.25]
CLIP_NORM = 0.002 * sum(each.numel() for each in p) ** 0.5
done = 0


@torch.no_grad()
def epilogue():
    for each in p:
        each.grad.mul_(0.5)
    torch.nn.utils.clip_grad_norm_(p, CLIP_NORM)
    made.step()
    for each, average, copy in zip(p, averages, copies):
        average.lerp_(each, 0.001)
        copy.copy_(each)
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
