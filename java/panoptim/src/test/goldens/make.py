"""Makes the golden trajectories beside this file with PyTorch 2.13: python make.py

`python make.py newer` makes the cases of newer.py instead, for which PyTorch 1.13 suffices. Rows of other cases stay.

Each case is run in float64, which is the truth, and in float32, from the same float32 start and gradients. A file
CASE.f64 holds the parameters after the last step of the float64 run (little-endian doubles). In cases.csv stand the root
mean square of what the float32 run is off by, and what becomes of 1 in float64 at the first and the third of three steps
(`small`). The tests make start and gradients anew (`numbers`) and have the same cases (OptimizerCases.java).

The cases "epsilon-before" were not made with PyTorch 2.13. Those of Adam and AdamW are from PyTorch 1.13. The case of
NAdam is its formula in numpy, because the NAdam of 1.13 has another formula. In float64, PyTorch 1.13 reproduces the
other cases of Adam and AdamW to 2e-15, and numpy the case "nadam" to 1e-15. Their float32 errors differ from those of
2.13: by a factor of 0.92 to 1.54 for PyTorch 1.13, and of 1.02 for numpy.
"""

import copy
import csv
import functools
import pathlib
import sys

import newer
import numpy
import torch

ELEMENTS = 2000
ELEMENTS_OF_THREE = 700
STEPS = 40
FOLDER = pathlib.Path(__file__).parent


def numbers(stream, elements):
    """SplitMix64, seeded with the stream, as multiples of 2^-23 from -1 to 1, which a float32 holds exactly."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(stream) + numpy.arange(1, elements + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.int64) - (1 << 23)) * 2.0**-23


def gradient(stream, elements):
    """Element i is 2^-(i mod 8) times as large as element 0."""
    return numbers(stream, elements) * 2.0 ** -(numpy.arange(elements) % 8)


class Lion(torch.optim.Optimizer):
    """As its authors give it; PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, maximize=maximize))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = -p.grad if group["maximize"] else p.grad
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_((m * beta1 + g * (1 - beta1)).sign_(), alpha=-group["lr"])
                m.mul_(beta2).add_(g, alpha=1 - beta2)


class AveragedMomentum(torch.optim.Optimizer):
    """SGD with the textbooks' momentum; PyTorch has none."""

    def __init__(self, params, lr, beta, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, beta=beta, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                g = p.grad.add(p, alpha=group["weight_decay"])
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.mul_(group["beta"]).add_(g, alpha=1 - group["beta"])
                p.add_(m, alpha=-group["lr"])


def before_correction(optimizer_class):
    """The optimizer with epsilon where Keras, DJL and Deeplearning4j add it: to sqrt(v), before the bias correction.

    PyTorch divides sqrt(v) by sqrt(1 - beta2^t) first: an epsilon that is divided too makes both the same. Each parameter
    has a group of its own, because the count t is its own.
    """

    class BeforeCorrection(optimizer_class):
        def __init__(self, params, eps, **arguments):
            super().__init__(params, eps=eps, **arguments)
            self.given = eps

        def step(self):
            all_groups = self.param_groups
            for group in all_groups:
                for p in group["params"]:
                    t = float(self.state[p]["step"]) + 1 if self.state.get(p) else 1.0
                    alone = {**group, "params": [p], "eps": self.given / (1 - group["betas"][1] ** t) ** 0.5}
                    self.param_groups = [alone]
                    super().step()
            self.param_groups = all_groups

    return BeforeCorrection


O = torch.optim
CASES = {
    "sgd": (O.SGD, dict(lr=0.1)),
    "sgd-weight-decay": (O.SGD, dict(lr=0.1, weight_decay=0.1)),
    "sgd-maximize": (O.SGD, dict(lr=0.1, maximize=True)),
    "sgd-momentum": (O.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd-momentum-dampening": (O.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5)),
    "sgd-momentum-maximize": (O.SGD, dict(lr=0.1, momentum=0.9, maximize=True)),
    "sgd-nesterov": (O.SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    "sgd-averaged-momentum": (AveragedMomentum, dict(lr=0.1, beta=0.9, weight_decay=0.1)),
    "adagrad": (O.Adagrad, dict(lr=0.1)),
    "adagrad-lr-decay": (O.Adagrad, dict(lr=0.1, lr_decay=0.1)),
    "adagrad-initial": (O.Adagrad, dict(lr=0.1, initial_accumulator_value=0.5, eps=1e-3)),
    "adagrad-weight-decay": (O.Adagrad, dict(lr=0.1, weight_decay=0.1, maximize=True)),
    "rmsprop": (O.RMSprop, dict(lr=0.1)),
    "rmsprop-alpha": (O.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.1)),
    "rmsprop-momentum": (O.RMSprop, dict(lr=0.01, momentum=0.9, maximize=True)),
    "rmsprop-centered": (O.RMSprop, dict(lr=0.01, centered=True)),
    "rmsprop-centered-momentum": (O.RMSprop, dict(lr=0.1, centered=True, momentum=0.9)),
    "adadelta": (O.Adadelta, dict(lr=1.0)),
    "adadelta-rho": (O.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)),
    "adadelta-maximize": (O.Adadelta, dict(lr=1.0, maximize=True)),
    "adam": (O.Adam, dict(lr=0.1)),
    "adam-betas": (O.Adam, dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3)),
    "adam-weight-decay": (O.Adam, dict(lr=0.01, weight_decay=0.1)),
    "adam-maximize": (O.Adam, dict(lr=0.1, maximize=True)),
    "adam-amsgrad": (O.Adam, dict(lr=0.1, amsgrad=True, weight_decay=0.1)),
    "adam-epsilon-before": (before_correction(O.Adam), dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3)),
    "adamw": (O.AdamW, dict(lr=0.1)),
    "adamw-weight-decay": (O.AdamW, dict(lr=0.01, weight_decay=0.5, betas=(0.8, 0.9), eps=1e-3)),
    "adamw-amsgrad": (O.AdamW, dict(lr=0.01, amsgrad=True, maximize=True)),
    "adamw-epsilon-before": (before_correction(O.AdamW), dict(lr=0.01, eps=1e-3, weight_decay=0.1, amsgrad=True)),
    "nadam": (O.NAdam, dict(lr=0.1)),
    "nadam-momentum-decay": (O.NAdam, dict(lr=0.01, momentum_decay=0.1, betas=(0.8, 0.9), eps=1e-3)),
    "nadam-weight-decay": (O.NAdam, dict(lr=0.01, weight_decay=0.1)),
    "nadam-decoupled": (O.NAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    "nadam-epsilon-before": (before_correction(O.NAdam), dict(lr=0.01, eps=1e-3)),
    "radam": (O.RAdam, dict(lr=0.1)),
    "radam-betas": (O.RAdam, dict(lr=0.01, betas=(0.8, 0.95), eps=1e-3)),
    "radam-weight-decay": (O.RAdam, dict(lr=0.01, weight_decay=0.1)),
    "radam-decoupled": (O.RAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    "adamax": (O.Adamax, dict(lr=0.1)),
    "adamax-betas": (O.Adamax, dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    "adamax-maximize": (O.Adamax, dict(lr=0.01, maximize=True)),
    "lion": (Lion, dict(lr=0.1)),
    "lion-betas": (Lion, dict(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1, maximize=True)),
    "lion-weight-decay": (Lion, dict(lr=0.1, weight_decay=0.1)),
}

# The cases that also go through a training in which everything happens, as CASE-sequence.
SEQUENCES = [
    "sgd-momentum",
    "adagrad-lr-decay",
    "rmsprop-momentum",
    "adadelta",
    "adam",
    "adam-amsgrad",
    "adam-epsilon-before",
    "adamw",
    "nadam",
    "radam",
    "adamax",
    "lion",
]


def trained(optimizer_class, arguments, dtype, shape):
    """The optimizer and its parameter after the last step."""
    p = torch.nn.Parameter(torch.tensor(numbers(0, ELEMENTS), dtype=dtype).reshape(shape))
    optimizer = optimizer_class([p], **arguments)
    for step in range(1, STEPS + 1):
        p.grad = torch.tensor(gradient(step, ELEMENTS), dtype=dtype).reshape(shape)
        optimizer.step()
    return optimizer, p


def single(optimizer_class, arguments, dtype, shape=(ELEMENTS,)):
    _, p = trained(optimizer_class, arguments, dtype, shape)
    return p.detach().double().numpy().reshape(-1)


def sequence(optimizer_class, arguments, dtype):
    """Three parameters.

    The second is in a group with another weight decay, the third in one that is added at step 10 with half the learning
    rate. The first has no gradient at each third step. At step 20 all learning rates are halved, and after step 30 another
    optimizer goes on with what this one saved.
    """
    starts = [numbers(1000 * k, ELEMENTS_OF_THREE) for k in range(3)]
    parameters = [torch.nn.Parameter(torch.tensor(start, dtype=dtype)) for start in starts]
    third = dict(params=[parameters[2]], lr=arguments["lr"] / 2)

    def optimizer_of_two():
        groups = [dict(params=[parameters[0]]), dict(params=[parameters[1]], weight_decay=0.2)]
        return optimizer_class(groups, **arguments)

    optimizer = optimizer_of_two()
    for step in range(1, STEPS + 1):
        if step == 10:
            optimizer.add_param_group(dict(third))
        if step == 20:
            for group in optimizer.param_groups:
                group["lr"] *= 0.5
        for k, p in enumerate(parameters):
            present = k == 1 or (k == 0 and step % 3 != 0) or (k == 2 and step >= 10)
            p.grad = torch.tensor(gradient(1000 * k + step, ELEMENTS_OF_THREE), dtype=dtype) if present else None
        optimizer.step()
        if step == 30:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = optimizer_of_two()
            optimizer.add_param_group(dict(third))
            optimizer.load_state_dict(saved)
    return numpy.concatenate([p.detach().double().numpy() for p in parameters])


def small(optimizer_class, arguments, shape=(2,)):
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64).reshape(shape))
    optimizer = optimizer_class([p], **arguments)
    trajectory = []
    for g in ([0.5, -1.5], [0.25, -1.0], [-1.0, 0.5]):
        p.grad = torch.tensor(g, dtype=torch.float64).reshape(shape)
        optimizer.step()
        trajectory.append(p.reshape(-1)[0].item())
    return trajectory[0], trajectory[2]


def save(name, truth):
    truth.astype("<f8").tofile(FOLDER / f"{name}.f64")


def row(name, arguments, run, small_run):
    """Writes the file of a case, and returns its row of cases.csv."""
    # NAdam's product of momenta has the default type, whatever the parameter's.
    torch.set_default_dtype(torch.float32)
    rounded = run(*arguments, torch.float32)
    torch.set_default_dtype(torch.float64)
    truth = run(*arguments, torch.float64)
    save(name, truth)
    error = float(numpy.sqrt(numpy.mean((rounded - truth) ** 2)))
    first, third = small_run(*arguments)
    return [name, repr(error), repr(first), repr(third)]


def rows():
    assert torch.__version__.startswith("2.13."), torch.__version__
    runs = [(name, name, single) for name in CASES] + [(name + "-sequence", name, sequence) for name in SEQUENCES]
    return [row(name, CASES[case], run, small) for name, case, run in runs]


def newer_rows():
    result = []
    for name, case in newer.CASES.items():
        shape = newer.SHAPES.get(name, (ELEMENTS,))
        small_shape = tuple(1 if side == min(shape) else 2 for side in shape) if len(shape) == 2 else (2,)
        run, small_run = functools.partial(single, shape=shape), functools.partial(small, shape=small_shape)
        result.append(row(name, case, run, small_run))
        if name in newer.AVERAGES:
            optimizer, p = trained(*case, torch.float64, shape)
            save(name + ".average", optimizer.average(p).numpy())
    return result + [row(name + "-sequence", newer.CASES[name], sequence, small) for name in newer.SEQUENCES]


def main(only_newer):
    torch.set_num_threads(1)
    made = newer_rows() if only_newer else rows()
    with open(FOLDER / "cases.csv", newline="") as file:
        header, *kept = csv.reader(file)
    merged = {each[0]: each for each in kept + made}
    with open(FOLDER / "cases.csv", "w", newline="\n") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *merged.values()])


if __name__ == "__main__":
    main(sys.argv[1:] == ["newer"])
