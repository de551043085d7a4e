"""Makes the golden runs of L-BFGS beside this file with PyTorch 1.13: python make.py

`trajectories.csv` has a row for each iteration of each case: the parameters of a float64 run, and the largest distance
of a float32 run from them. Both runs get the gradient of the same function, which is computed in float64 and rounded to
the type of the parameters. A step has one iteration, except in cases with "steps": there it has several, as the case
says, and the row also has the numbers of iterations and evaluations.

`minima.csv` has the loss that float64 reaches on each problem, with a line search, within 100 steps.

The functions are in `problems.py` and, for the tests, in LbfgsProblem.java.
"""

import csv
import pathlib

import torch

from problems import PROBLEMS

FOLDER = pathlib.Path(__file__).parent

# name, problem, options, steps
CASES = [
    ("quadratic-fixed", "quadratic10", {"lr": 1.0}, 20),
    ("quadratic-fixed-short-history", "quadratic10", {"lr": 0.7, "history_size": 3}, 20),
    ("quadratic-wolfe", "quadratic10", {"line_search_fn": "strong_wolfe"}, 20),
    ("quadratic-wolfe-short-history", "quadratic10", {"line_search_fn": "strong_wolfe", "history_size": 2}, 20),
    ("booth-fixed", "booth", {"lr": 0.5}, 12),
    ("beale-wolfe", "beale", {"line_search_fn": "strong_wolfe"}, 12),
    ("himmelblau-wolfe", "himmelblau", {"line_search_fn": "strong_wolfe"}, 9),
    ("himmelblau-fixed", "himmelblau", {"lr": 0.1}, 30),
    ("rosenbrock-wolfe", "rosenbrock2", {"line_search_fn": "strong_wolfe"}, 30),
    ("rosenbrock-wolfe-lr", "rosenbrock2", {"line_search_fn": "strong_wolfe", "lr": 0.3}, 30),
    ("wood-wolfe", "wood", {"line_search_fn": "strong_wolfe"}, 20),
    ("logistic-wolfe", "logistic", {"line_search_fn": "strong_wolfe"}, 12),
    ("logistic-fixed", "logistic", {"lr": 1.0}, 12),
    ("network-wolfe", "network", {"line_search_fn": "strong_wolfe"}, 12),
    ("logistic-wolfe-steps", "logistic", {"line_search_fn": "strong_wolfe", "max_iter": 5}, 4),
    ("logistic-fixed-steps", "logistic", {"lr": 0.8, "max_iter": 5}, 4),
    ("quadratic-fixed-steps", "quadratic10", {"lr": 0.9, "max_iter": 6, "max_eval": 4}, 5),
    ("rosenbrock-wolfe-steps", "rosenbrock2", {"line_search_fn": "strong_wolfe", "max_iter": 7, "max_eval": 6}, 4),
]


def run(problem, options, steps, dtype):
    """The parameters, iterations and evaluations after each step."""
    start, function = PROBLEMS[problem]
    # The start is a float32 in both runs.
    x = torch.nn.Parameter(torch.tensor(start, dtype=torch.float32).to(dtype))
    optimizer = torch.optim.LBFGS([x], **options)

    def closure():
        loss, gradient = function(x.detach().to(torch.float64).numpy())
        x.grad = torch.tensor(gradient, dtype=torch.float64).to(dtype)
        return loss

    rows = []
    for _ in range(steps):
        optimizer.step(closure)
        state = optimizer.state[x]
        rows.append((x.detach().to(torch.float64).numpy().copy(), state.get("n_iter", 0), state["func_evals"]))
    return rows, closure()


def main():
    with open(FOLDER / "trajectories.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["case", "step", "iterations", "evaluations", "float32", "parameters"])
        for name, problem, options, steps in CASES:
            once = {} if name.endswith("-steps") else {"max_iter": 1}
            truth, _ = run(problem, {**options, **once}, steps, torch.float64)
            single, _ = run(problem, {**options, **once}, steps, torch.float32)
            for step, (exact, rough) in enumerate(zip(truth, single)):
                error = abs(exact[0] - rough[0]).max()
                same = exact[1:] == rough[1:]
                values = " ".join(repr(float(each)) for each in exact[0])
                out.writerow([name, step + 1, exact[1] if same else -1, exact[2] if same else -1, repr(float(error)), values])
    with open(FOLDER / "minima.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["problem", "float64", "float32"])
        for name in PROBLEMS:
            options = {"line_search_fn": "strong_wolfe"}
            exact = run(name, options, 100, torch.float64)[1]
            rough = run(name, options, 100, torch.float32)[1]
            out.writerow([name, repr(float(exact)), repr(float(rough))])


if __name__ == "__main__":
    main()
