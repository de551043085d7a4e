"""Steps of a PyTorch optimizer for PyTorchPeer: python -c SCRIPT OPTIMIZER THREADS DATA GRADIENT

OPTIMIZER is an expression over p, the list of parameters; DATA and GRADIENT are files of float32. Reads commands from
standard input: "step" makes a step and prints the nanoseconds it took, "save FILE" writes the parameter and prints "saved".
"""

import sys
import time

import numpy
import torch

optimizer, threads, data, gradient = sys.argv[1:]
torch.set_num_threads(int(threads))
# Cloned into memory of PyTorch's own, which is what its users have.
tensor = torch.nn.Parameter(torch.from_numpy(numpy.fromfile(data, dtype=numpy.float32)).clone())
tensor.grad = torch.from_numpy(numpy.fromfile(gradient, dtype=numpy.float32)).clone()
made = eval("torch.optim." + optimizer, {"torch": torch, "p": [tensor]})
print("PyTorch " + torch.__version__, flush=True)
for line in sys.stdin:
    command, *arguments = line.split(maxsplit=1)
    if command == "step":
        start = time.perf_counter_ns()
        made.step()
        print(time.perf_counter_ns() - start, flush=True)
    else:
        tensor.detach().numpy().tofile(arguments[0].rstrip("\n"))
        print("saved", flush=True)
