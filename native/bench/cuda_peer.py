"""PyTorch's AdamW on a GPU: rows for the table of panoptim_cuda_bench.

The fused optimizer, the foreach one, and the fused one replayed from a CUDA graph. A row is the median of three rounds;
each round measures all optimizers. For small tensors, most of the time of the first two is spent in Python.
"""
import statistics
import time

import torch

CASES = [(1, 10**9), (1, 10**8), (1, 10**6), (1, 256), (10**4, 10**4)]
ROUNDS = 3
SECONDS = 0.1  # duration of a measurement
BYTES = 28  # for each element: parameter, gradient and two moments are read; all but the gradient are written


def seconds(times, step):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(times):
        step()
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / times


def trainings(tensors, elements):
    """The step functions of all optimizers, by the name of the library. They share their parameters."""
    parameters = [torch.empty(elements, device="cuda").uniform_(-0.05, 0.05) for _ in range(tensors)]
    for each in parameters:
        each.requires_grad_()
        each.grad = torch.empty_like(each).uniform_(-0.01, 0.01)

    def adamw(**options):
        return torch.optim.AdamW(parameters, lr=1e-3, weight_decay=1e-2, **options)

    graphed = adamw(fused=True, capturable=True)
    graph = torch.cuda.CUDAGraph()
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        graphed.step()
    torch.cuda.current_stream().wait_stream(side)
    with torch.cuda.graph(graph):
        graphed.step()
    yield "torch fused graph", graph.replay
    yield "torch fused", adamw(fused=True).step
    yield "torch foreach", adamw(foreach=True).step


def run(tensors, elements):
    steps = dict(trainings(tensors, elements))
    times = {}
    for library, step in steps.items():
        seconds(3, step)
        times[library] = max(3, int(SECONDS / seconds(3, step)))
    measured = {library: [] for library in steps}
    for _ in range(ROUNDS):
        for library, step in steps.items():
            measured[library].append(seconds(times[library], step))
    for library, all_rounds in measured.items():
        moved = tensors * elements * BYTES
        median = statistics.median(all_rounds)
        row = ["adamw", library, tensors, elements, median, min(all_rounds), max(all_rounds), moved, ""]
        print(*row, sep="\t", flush=True)


torch.manual_seed(1)
print(f"# torch: {torch.__version__}, CUDA {torch.version.cuda}", flush=True)
for case in CASES:
    try:
        run(*case)
    except torch.cuda.OutOfMemoryError:
        print(f"# left out: {case}, not enough memory", flush=True)
    # Frees the memory of a case before the next one begins.
    torch.cuda.empty_cache()
