"""Makes the golden trajectories beside this file with PyTorch 2.13: python make.py

Each case is run in float64, which is the truth, and in float32, from the same float32 start and gradients. A file
CASE.f64 holds the parameter after the last step of the float64 run (little-endian doubles), errors.csv the root mean square
of what the float32 run is off by. The tests make start and gradients anew: see `numbers`.
"""

import csv
import pathlib

import numpy
import torch

ELEMENTS = 2000
STEPS = 40
FOLDER = pathlib.Path(__file__).parent


def numbers(stream):
    """SplitMix64, seeded with the stream, as multiples of 2^-23 from -1 to 1, which a float32 holds exactly."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(stream) + numpy.arange(1, ELEMENTS + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    return ((z >> numpy.uint64(40)).astype(numpy.int64) - (1 << 23)) * 2.0**-23


def gradient(step):
    """Element i is 2^-(i mod 8) times as large as element 0."""
    return numbers(step) * 2.0 ** -(numpy.arange(ELEMENTS) % 8)


class Lion(torch.optim.Optimizer):
    """As its authors give it; PyTorch has none."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("exp_avg", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_((m * beta1 + p.grad * (1 - beta1)).sign_(), alpha=-group["lr"])
                m.mul_(beta2).add_(p.grad, alpha=1 - beta2)


O = torch.optim
CASES = {
    "sgd": (O.SGD, dict(lr=0.1)),
    "sgd-weight-decay": (O.SGD, dict(lr=0.1, weight_decay=0.1)),
    "sgd-maximize": (O.SGD, dict(lr=0.1, maximize=True)),
    "sgd-momentum": (O.SGD, dict(lr=0.1, momentum=0.9)),
    "sgd-momentum-dampening": (O.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5)),
    "sgd-nesterov": (O.SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    "adagrad": (O.Adagrad, dict(lr=0.1)),
    "adagrad-lr-decay": (O.Adagrad, dict(lr=0.1, lr_decay=0.1)),
    "adagrad-initial": (O.Adagrad, dict(lr=0.1, initial_accumulator_value=0.5, eps=1e-3)),
    "adagrad-weight-decay": (O.Adagrad, dict(lr=0.1, weight_decay=0.1, maximize=True)),
    "rmsprop": (O.RMSprop, dict(lr=0.01)),
    "rmsprop-alpha": (O.RMSprop, dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.1)),
    "rmsprop-momentum": (O.RMSprop, dict(lr=0.01, momentum=0.9)),
    "rmsprop-centered": (O.RMSprop, dict(lr=0.01, centered=True)),
    "rmsprop-centered-momentum": (O.RMSprop, dict(lr=0.01, centered=True, momentum=0.9, maximize=True)),
    "adadelta": (O.Adadelta, dict(lr=1.0)),
    "adadelta-rho": (O.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)),
    "adadelta-maximize": (O.Adadelta, dict(lr=1.0, maximize=True)),
    "adam": (O.Adam, dict(lr=0.01)),
    "adam-betas": (O.Adam, dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3)),
    "adam-weight-decay": (O.Adam, dict(lr=0.01, weight_decay=0.1)),
    "adam-amsgrad": (O.Adam, dict(lr=0.01, amsgrad=True, maximize=True)),
    "adamw": (O.AdamW, dict(lr=0.01)),
    "adamw-weight-decay": (O.AdamW, dict(lr=0.01, weight_decay=0.5, betas=(0.8, 0.9))),
    "adamw-amsgrad": (O.AdamW, dict(lr=0.01, amsgrad=True, maximize=True)),
    "nadam": (O.NAdam, dict(lr=0.01)),
    "nadam-momentum-decay": (O.NAdam, dict(lr=0.01, momentum_decay=0.1, betas=(0.8, 0.9), eps=1e-3)),
    "nadam-weight-decay": (O.NAdam, dict(lr=0.01, weight_decay=0.1)),
    "nadam-decoupled": (O.NAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    "radam": (O.RAdam, dict(lr=0.01)),
    "radam-betas": (O.RAdam, dict(lr=0.01, betas=(0.8, 0.95), eps=1e-3)),
    "radam-weight-decay": (O.RAdam, dict(lr=0.01, weight_decay=0.1)),
    "radam-decoupled": (O.RAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True, maximize=True)),
    "adamax": (O.Adamax, dict(lr=0.01)),
    "adamax-betas": (O.Adamax, dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.1)),
    "adamax-maximize": (O.Adamax, dict(lr=0.01, maximize=True)),
    "lion": (Lion, dict(lr=0.01)),
    "lion-weight-decay": (Lion, dict(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1)),
}

# A gradient is missing at each third step, and the learning rate is halved from step 20 on.
SEQUENCES = {
    "sgd-sequence": (O.SGD, dict(lr=0.1, momentum=0.9)),
    "adagrad-sequence": (O.Adagrad, dict(lr=0.1, lr_decay=0.1)),
    "rmsprop-sequence": (O.RMSprop, dict(lr=0.01, momentum=0.9)),
    "adadelta-sequence": (O.Adadelta, dict(lr=1.0)),
    "adamw-sequence": (O.AdamW, dict(lr=0.01)),
    "nadam-sequence": (O.NAdam, dict(lr=0.01)),
    "radam-sequence": (O.RAdam, dict(lr=0.01)),
    "adamax-sequence": (O.Adamax, dict(lr=0.01)),
}


def run(optimizer_class, arguments, dtype, sequence):
    p = torch.nn.Parameter(torch.tensor(numbers(0), dtype=dtype))
    optimizer = optimizer_class([p], **arguments)
    for step in range(1, STEPS + 1):
        missing = sequence and step % 3 == 0
        p.grad = None if missing else torch.tensor(gradient(step), dtype=dtype)
        if sequence and step == 20:
            optimizer.param_groups[0]["lr"] *= 0.5
        if p.grad is not None:
            optimizer.step()
    return p.detach().double().numpy()


def main():
    assert torch.__version__.startswith("2.13."), torch.__version__
    torch.set_num_threads(1)
    with open(FOLDER / "errors.csv", "w", newline="\n") as file:
        errors = csv.writer(file, lineterminator="\n")
        errors.writerow(["case", "rms"])
        for sequence, cases in ((False, CASES), (True, SEQUENCES)):
            for name, (optimizer_class, arguments) in cases.items():
                truth = run(optimizer_class, arguments, torch.float64, sequence)
                single = run(optimizer_class, arguments, torch.float32, sequence)
                truth.astype("<f8").tofile(FOLDER / f"{name}.f64")
                errors.writerow([name, repr(float(numpy.sqrt(numpy.mean((single - truth) ** 2))))])


if __name__ == "__main__":
    main()
