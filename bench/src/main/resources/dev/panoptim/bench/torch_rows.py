"""Steps of a PyTorch optimizer over rows for PeerProcess: python -c SCRIPT OPTIMIZER THREADS WIDTH DATA GRADIENT IDS

OPTIMIZER is an expression over p, the list with one parameter of rows of WIDTH elements. DATA and GRADIENT are files of
float32, IDS is a file of int64 with an id for each gradient, batch after batch. The gradient of a step is the sparse
tensor that the backward pass of torch.nn.Embedding(sparse=True) makes. Reads commands from standard input: "step N"
makes N steps and prints their nanoseconds, "save FILE" writes the parameter and prints "saved".
"""

import sys
import time

import numpy
import torch

optimizer, threads, width, data, gradient, ids = sys.argv[1:]
torch.set_num_threads(int(threads))


def load(file, dtype):
    # Cloned into memory of PyTorch, as its users have it.
    return torch.from_numpy(numpy.fromfile(file, dtype=dtype)).clone()


parameter = torch.nn.Parameter(load(data, numpy.float32).reshape(-1, int(width)))
values = load(gradient, numpy.float32).reshape(-1, int(width))
batches = load(ids, numpy.int64).reshape(-1, 1, len(values))
made = eval("torch.optim." + optimizer, {"torch": torch, "p": [parameter]})
done = 0


def timed(count):
    global done
    start = time.perf_counter_ns()
    for _ in range(count):
        parameter.grad = torch.sparse_coo_tensor(batches[done % len(batches)], values, parameter.shape, check_invariants=False)
        made.step()
        done += 1
    return time.perf_counter_ns() - start


print("PyTorch " + torch.__version__, flush=True)
for line in sys.stdin:
    command, argument = line.rstrip("\n").split(maxsplit=1)
    if command == "step":
        print(timed(int(argument)), flush=True)
    else:
        parameter.detach().numpy().tofile(argument)
        print("saved", flush=True)
