"""Makes the golden schedules beside this file with PyTorch 2.13 and mpmath: python make.py

Each case is a scheduler of PyTorch (or, for schedules that it lacks, its LambdaLR with the formula), stepped 10,000 times. A
case is run with `math.cos` and `**` of the scheduler's module replaced by correctly rounded ones, since those of the C
library differ from machine to machine. In values.csv each line is a case, how it was stepped (`step()`, or `step(epoch)`,
which takes the closed form), the number of values, the initial value, and of every 100 values the CRC-32 of their
little-endian bytes and the bits of the first one. In libm.csv stands at how many steps the values of PyTorch as it is, on the
machine where this ran, differ from those, and by how many units in the last place at most.

The tests have the same cases (ScheduleCases.java).
"""

import ast
import csv
import math
import pathlib
import struct
import types
import warnings
import zlib

import torch
import torch.optim.lr_scheduler as original
from mpmath import mp, mpf
from mpmath.libmp import to_rational

STEPS = 10_001
BLOCK = 100
FOLDER = pathlib.Path(__file__).parent
mp.prec = 300


def rounded(value):
    """Rounds once, even to less than full precision, where mpmath rounds twice; division of integers is exact."""
    numerator, denominator = to_rational(value._mpf_)
    return numerator / denominator


def rounded_cos(x):
    return rounded(mp.cos(mpf(x)))


def rounded_pow(a, b):
    if isinstance(a, int) and isinstance(b, int):
        return a**b
    if a == 0 or b == 0 or a == 1:
        return float(a) ** float(b)
    return rounded(mp.power(mpf(a), int(b) if b == int(b) else mpf(b)))


class Powers(ast.NodeTransformer):
    """Calls a function in the place of `**`."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if not isinstance(node.op, ast.Pow):
            return node
        return ast.Call(ast.Name("rounded_pow", ast.Load()), [node.left, node.right], [])


def patched():
    tree = ast.fix_missing_locations(Powers().visit(ast.parse(pathlib.Path(original.__file__).read_text())))
    module = types.ModuleType("torch.optim.lr_scheduler")
    module.__package__ = "torch.optim"
    module.rounded_pow = rounded_pow
    exec(compile(tree, original.__file__, "exec"), module.__dict__)
    module.math = types.SimpleNamespace(**{**vars(math), "cos": rounded_cos})
    module.pow = rounded_pow
    return module


class Plain:
    """The module as PyTorch has it, with the same names as the patched one."""

    def __init__(self):
        self.__dict__.update(vars(original))
        self.math = math
        self.pow = lambda a, b: a**b


def numbers(count):
    """SplitMix64 with the seed 7, from 0 to 1."""
    mask = 2**64 - 1
    for i in range(1, count + 1):
        z = (7 + i * 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        yield ((z ^ (z >> 31)) >> 11) * 2.0**-53


def wsd(t, warmup, stable, decay, shape, minimum):
    """Hugging Face's get_wsd_schedule."""

    def shapes(progress):
        if shape == "linear":
            return 1.0 - progress
        if shape == "cosine":
            return 0.5 * (1.0 + t.math.cos(math.pi * progress))
        return 1.0 - math.sqrt(progress)

    def factor(step):
        if step < warmup:
            return step / warmup * (1.0 - minimum) + minimum
        if step < warmup + stable:
            return 1.0
        if step < warmup + stable + decay:
            return shapes((step - warmup - stable) / decay) * (1.0 - minimum) + minimum
        return minimum

    return factor


def inverse_square_root(warmup):
    return lambda step: (step + 1) / warmup if step + 1 < warmup else math.sqrt(warmup / (step + 1))


def sequential(t, o):
    return t.SequentialLR(
        o,
        [
            t.ConstantLR(o, 0.25, 30),
            t.ExponentialLR(o, 0.999),
            t.CosineAnnealingWarmRestarts(o, 50, 2, 1e-6),
            t.MultiStepLR(o, [10, 20, 20], 0.3),
            t.CosineAnnealingLR(o, 4000, 1e-4),
        ],
        [100, 2000, 5000, 5001],
    )


def warmup_cosine(t, o):
    return t.SequentialLR(o, [t.LinearLR(o, 1 / 501, 1.0, 500), t.CosineAnnealingLR(o, 9500)], [500])


def one_cycle(t, o, **options):
    return t.OneCycleLR(o, 0.1, STEPS, **options)


# Name, initial learning rate, scheduler.
CASES = {
    "constant": (0.3, lambda t, o: t.LambdaLR(o, lambda step: 1.0)),
    "constant-factor": (0.3, lambda t, o: t.ConstantLR(o, 0.3, 40)),
    "constant-factor-default": (1e-3, lambda t, o: t.ConstantLR(o)),
    "step": (0.1, lambda t, o: t.StepLR(o, 30, 0.9)),
    "multi-step": (0.1, lambda t, o: t.MultiStepLR(o, [3000, 10, 500, 500, 3000, 3000, 9000], 0.3)),
    "multi-step-at-0": (0.1, lambda t, o: t.MultiStepLR(o, [0, 5, 10_000], 0.7)),
    "exponential": (0.1, lambda t, o: t.ExponentialLR(o, 0.9995)),
    "exponential-to-0": (0.1, lambda t, o: t.ExponentialLR(o, 0.9)),
    "polynomial": (3e-4, lambda t, o: t.PolynomialLR(o, 8000, 0.9)),
    "polynomial-default": (3e-4, lambda t, o: t.PolynomialLR(o)),
    "polynomial-square": (0.7, lambda t, o: t.PolynomialLR(o, 10_000, 2.0)),
    "linear-default": (0.1, lambda t, o: t.LinearLR(o)),
    "linear-up": (0.1, lambda t, o: t.LinearLR(o, 1e-3, 1.0, 4000)),
    "linear-down": (0.1, lambda t, o: t.LinearLR(o, 1.0, 0.0, 9000)),
    "cosine": (1e-3, lambda t, o: t.CosineAnnealingLR(o, 10_000)),
    "cosine-beyond": (0.1, lambda t, o: t.CosineAnnealingLR(o, 700, 1e-5)),
    "cosine-of-1": (0.1, lambda t, o: t.CosineAnnealingLR(o, 1)),
    "cosine-of-7": (0.1, lambda t, o: t.CosineAnnealingLR(o, 7, 0.01)),
    "warm-restarts": (0.1, lambda t, o: t.CosineAnnealingWarmRestarts(o, 300)),
    "warm-restarts-2": (0.1, lambda t, o: t.CosineAnnealingWarmRestarts(o, 50, 2, 1e-6)),
    "warm-restarts-3": (0.1, lambda t, o: t.CosineAnnealingWarmRestarts(o, 7, 3)),
    "one-cycle": (0.1, lambda t, o: one_cycle(t, o)),
    "one-cycle-linear": (0.1, lambda t, o: one_cycle(t, o, anneal_strategy="linear", div_factor=10.0)),
    "one-cycle-three": (0.1, lambda t, o: one_cycle(t, o, three_phase=True, pct_start=0.4)),
    "one-cycle-three-linear": (0.1, lambda t, o: one_cycle(t, o, three_phase=True, anneal_strategy="linear")),
    "one-cycle-no-rise": (0.1, lambda t, o: one_cycle(t, o, pct_start=0.0)),
    "cyclic": (0.1, lambda t, o: t.CyclicLR(o, 1e-4, 0.1, 200)),
    "cyclic-2": (0.1, lambda t, o: t.CyclicLR(o, 1e-4, 0.1, 200, 300, mode="triangular2")),
    "cyclic-exp": (0.1, lambda t, o: t.CyclicLR(o, 1e-4, 0.1, 77, 131, mode="exp_range", gamma=0.9994)),
    "sequential": (0.1, sequential),
    "sequential-warmup-cosine": (3e-4, warmup_cosine),
    "chained": (0.1, lambda t, o: t.ChainedScheduler([t.ConstantLR(o, 0.1, 20), t.ExponentialLR(o, 0.999)])),
    "chained-three": (
        0.1,
        lambda t, o: t.ChainedScheduler(
            [t.LinearLR(o, 0.01, 1.0, 1000), t.StepLR(o, 900, 0.8), t.CosineAnnealingLR(o, 9999, 0.0)]
        ),
    ),
    "lambda": (0.1, lambda t, o: t.LambdaLR(o, lambda step: 1 / (1 + 0.01 * step))),
    "multiplicative": (0.1, lambda t, o: t.MultiplicativeLR(o, lambda step: 1 - 1 / (step + 10))),
    "wsd-linear": (0.1, lambda t, o: t.LambdaLR(o, wsd(t, 1000, 6000, 2000, "linear", 0.0))),
    "wsd-cosine": (0.1, lambda t, o: t.LambdaLR(o, wsd(t, 1000, 6000, 2000, "cosine", 0.1))),
    "wsd-sqrt": (0.1, lambda t, o: t.LambdaLR(o, wsd(t, 0, 6000, 3000, "1-sqrt", 0.0))),
    "inverse-square-root": (0.1, lambda t, o: t.LambdaLR(o, inverse_square_root(4000))),
}

PLATEAUS = {
    "plateau": dict(),
    "plateau-min-abs": dict(factor=0.9, patience=3, threshold=0.003, threshold_mode="abs", cooldown=4, eps=0.0),
    "plateau-max-rel": dict(mode="max", factor=0.95, patience=5, threshold=0.01, cooldown=7, min_lr=1e-5, eps=1e-12),
    "plateau-max-abs": dict(mode="max", factor=0.5, patience=0, threshold=0.2, threshold_mode="abs", cooldown=100, eps=1e-7),
}


def optimizer(initial):
    made = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=initial, momentum=0.9)
    made.step()
    return made


def stepped(t, initial, make):
    """Learning rates and momenta by step()."""
    o = optimizer(initial)
    scheduler = make(t, o)
    group = o.param_groups[0]
    values = [(group["lr"], group["momentum"])]
    for _ in range(1, STEPS):
        scheduler.step()
        values.append((group["lr"], group["momentum"]))
    return [list(each) for each in zip(*values)]


def closed(t, initial, make):
    """Learning rates by step(epoch), or None where that does not differ from step()."""
    o = optimizer(initial)
    scheduler = make(t, o)
    restarts = isinstance(scheduler, t.CosineAnnealingWarmRestarts) and scheduler.T_mult < 3
    if not restarts and not hasattr(scheduler, "_get_closed_form_lr"):
        return None
    values = []
    for epoch in range(STEPS):
        scheduler.step(epoch)
        values.append(o.param_groups[0]["lr"])
    return values


def plateau(t, options):
    o = optimizer(0.1)
    scheduler = t.ReduceLROnPlateau(o, **options)
    values = [o.param_groups[0]["lr"]]
    for step, noise in enumerate(numbers(STEPS - 1), 1):
        sign = 1 if options.get("mode") == "max" else -1
        scheduler.step(sign * (step / 5000 + 0.2 * noise) + 3)
        values.append(o.param_groups[0]["lr"])
    return values


def all_values(t):
    for name, (initial, make) in CASES.items():
        rates, momenta = stepped(t, initial, make)
        yield name, "step", initial, rates
        if name.startswith(("one-cycle", "cyclic")):
            yield name + "-momentum", "step", 0.9, momenta
        values = closed(t, initial, make)
        if values is not None:
            yield name, "closed", initial, values
    for name, options in PLATEAUS.items():
        yield name, "step", 0.1, plateau(t, options)


def bits(value):
    return struct.unpack("<q", struct.pack("<d", value))[0]


def blocks(values):
    for i in range(0, len(values), BLOCK):
        block = values[i : i + BLOCK]
        crc = zlib.crc32(struct.pack(f"<{len(block)}d", *block))
        yield f"{crc:08x}:{bits(block[0]) & (2**64 - 1):016x}"


def main():
    warnings.simplefilter("ignore")
    with open(FOLDER / "values.csv", "w") as values, open(FOLDER / "libm.csv", "w") as libm:
        libm_rows = csv.writer(libm, lineterminator="\n")
        libm_rows.writerow(["case", "stepped by", "steps that differ", "units in the last place at most"])
        for ours, theirs in zip(all_values(patched()), all_values(Plain()), strict=True):
            name, way, initial, rounded = ours
            values.write(",".join([name, way, str(len(rounded)), repr(initial), *blocks(rounded)]) + "\n")
            ulps = [abs(bits(a) - bits(b)) for a, b in zip(rounded, theirs[3], strict=True)]
            libm_rows.writerow([name, way, sum(each > 0 for each in ulps), max(ulps)])


if __name__ == "__main__":
    main()
