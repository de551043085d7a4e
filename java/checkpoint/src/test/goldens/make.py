"""Makes the golden exchanges beside this file with PyTorch 2.13, in two runs:

    python make.py                            training.safetensors, CASE.torch20.safetensors, CASE.expected.safetensors
    python make.py ../../../target/exchange   copies CASE.ours20.safetensors, which the tests write there, and adds
                                              what PyTorch makes of them to CASE.expected.safetensors

With a second folder, all of it goes there, whatever the version of PyTorch.

A training has two tensors in two groups, the second with another weight decay, or other etas. `expected` holds what 40
steps lead to: `truth` in float64, `rounded` in float32, `continued` in float32 from step 20 of Panoptim's. ASGD's
averages follow its parameters.
"""

import pathlib
import shutil
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file

FOLDER = pathlib.Path(__file__).parent
sys.path.append(str(FOLDER.parent.parent / "main" / "python"))
from panoptim_torch import from_torch, to_torch  # noqa: E402

STEPS = 40
HALF = 20
SHAPES = {"layer.weight": (20, 10), "layer.bias": (100,)}
SECOND_DECAY = 0.2
SECOND_ETAS = (0.6, 1.1)

O = torch.optim
CASES = {
    "sgd": (O.SGD, dict(lr=0.1)),
    "sgd-momentum": (O.SGD, dict(lr=0.1, momentum=0.9, dampening=0.5, maximize=True)),
    "sgd-nesterov": (O.SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    "adagrad": (O.Adagrad, dict(lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5)),
    "rmsprop": (O.RMSprop, dict(lr=0.01, alpha=0.9)),
    "rmsprop-centered-momentum": (O.RMSprop, dict(lr=0.01, centered=True, momentum=0.9)),
    "adadelta": (O.Adadelta, dict(lr=1.0, rho=0.8, weight_decay=0.1)),
    "adam": (O.Adam, dict(lr=0.1, weight_decay=0.1)),
    "adam-amsgrad": (O.Adam, dict(lr=0.1, amsgrad=True)),
    "adamw": (O.AdamW, dict(lr=0.01, weight_decay=0.5, betas=(0.8, 0.9), eps=1e-3)),
    "adamw-amsgrad": (O.AdamW, dict(lr=0.01, amsgrad=True, maximize=True)),
    "nadam": (O.NAdam, dict(lr=0.1)),
    "nadam-decoupled": (O.NAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)),
    "radam": (O.RAdam, dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3)),
    "radam-decoupled": (O.RAdam, dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True)),
    "adamax": (O.Adamax, dict(lr=0.1, betas=(0.8, 0.9), weight_decay=0.1)),
    "asgd": (O.ASGD, dict(lr=0.1)),
    "asgd-average": (O.ASGD, dict(lr=0.1, lambd=0.01, alpha=0.5, t0=10, weight_decay=0.1, maximize=True)),
    "adafactor": (O.Adafactor, dict(lr=0.01, weight_decay=0.1, eps=(2**-23, 1e-3))),
    "rprop": (O.Rprop, dict(lr=0.01)),
    "rprop-sizes": (O.Rprop, dict(lr=0.01, etas=(0.4, 1.3), step_sizes=(1e-3, 0.05), maximize=True)),
}


def training():
    random = numpy.random.default_rng(1)
    tensors = {}
    for name, shape in SHAPES.items():
        size = int(numpy.prod(shape))
        tensors["start/" + name] = torch.tensor(random.uniform(-1, 1, size), dtype=torch.float32)
        gradients = random.uniform(-1, 1, (STEPS, size)) * 2.0 ** -(numpy.arange(size) % 8)
        tensors["gradients/" + name] = torch.tensor(gradients, dtype=torch.float32)
    return tensors


def fresh(case, tensors, dtype):
    kind, arguments = CASES[case]
    named = {
        name: torch.nn.Parameter(tensors["start/" + name].to(dtype, copy=True).view(shape)) for name, shape in SHAPES.items()
    }
    first, second = named.values()
    other = dict(etas=SECOND_ETAS) if kind is O.Rprop else dict(weight_decay=SECOND_DECAY)
    return named, kind([dict(params=[first]), dict(params=[second], **other)], **arguments)


def train(named, optimizer, tensors, first, last):
    for step in range(first, last):
        for name, parameter in named.items():
            parameter.grad = tensors["gradients/" + name][step].to(parameter.dtype).view_as(parameter)
        optimizer.step()
    averages = [optimizer.state[each]["ax"] for each in named.values() if "ax" in optimizer.state[each]]
    return torch.cat([each.detach().flatten() for each in [*named.values(), *averages]])


def main():
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else FOLDER
    assert folder != FOLDER or torch.__version__.startswith("2.13."), torch.__version__
    tensors = training()
    save_file(tensors, folder / "training.safetensors")
    for case in CASES:
        expected = {}
        # NAdam's product of momenta has the default type, whatever the parameter's.
        torch.set_default_dtype(torch.float64)
        named, optimizer = fresh(case, tensors, torch.float64)
        expected["truth"] = train(named, optimizer, tensors, 0, STEPS)
        torch.set_default_dtype(torch.float32)
        named, optimizer = fresh(case, tensors, torch.float32)
        train(named, optimizer, tensors, 0, HALF)
        from_torch(named.items(), optimizer, folder / f"{case}.torch20.safetensors", HALF)
        expected["rounded"] = train(named, optimizer, tensors, HALF, STEPS)
        if len(sys.argv) > 1:
            ours = folder / f"{case}.ours20.safetensors"
            shutil.copy(pathlib.Path(sys.argv[1]) / ours.name, ours)
            named, optimizer = fresh(case, tensors, torch.float32)
            # What is loaded must not be what was there.
            train(named, optimizer, tensors, 0, 3)
            to_torch(ours, named.items(), optimizer)
            expected["continued"] = train(named, optimizer, tensors, HALF, STEPS)
        save_file(expected, folder / f"{case}.expected.safetensors")


if __name__ == "__main__":
    main()
