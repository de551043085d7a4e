"""Checkpoints of Panoptim to and from torch.optim: Adam, AdamW, SGD, Adagrad, RMSprop, Adadelta and NAdam.

    to_torch("step-000000001000.safetensors", model.named_parameters(), optimizer)
    from_torch(model.named_parameters(), optimizer, "panoptim.safetensors", step=1000)

Parameters must have the same names on both sides; shapes are PyTorch's, as a checkpoint has only numbers of elements.
The file's format stands in the README beside src.
"""

import json
import zlib

import torch
from safetensors import safe_open
from safetensors.torch import save_file

ADAM = {"firstMoment": "exp_avg", "secondMoment": "exp_avg_sq", "maximum": "max_exp_avg_sq"}
STATES = {
    "SGD": {"firstMoment": "momentum_buffer"},
    "Adagrad": {"secondMoment": "sum"},
    "RMSprop": {"firstMoment": "momentum_buffer", "secondMoment": "square_avg", "mean": "grad_avg"},
    "Adadelta": {"secondMoment": "square_avg", "units": "acc_delta"},
    **dict.fromkeys(["Adam", "AdamW", "NAdam"], ADAM),
}
OPTIONS = {"learningRate": "lr", "weightDecay": "weight_decay", "epsilon": "eps", "learningRateDecay": "lr_decay"}
OPTIONS |= {"initialAccumulator": "initial_accumulator_value", "momentumDecay": "momentum_decay"}


def rule(optimizer):
    kind, group = type(optimizer).__name__, optimizer.param_groups[0]
    adam, heavy = STATES[kind] is ADAM, bool(group.get("momentum"))
    second = "MAXIMUM_OF_AVERAGE" if group.get("amsgrad") else "MOVING_AVERAGE"
    second = "CENTERED_AVERAGE" if group.get("centered") else second
    return {
        "firstMoment": "MOVING_AVERAGE" if adam else "HEAVY_BALL" if heavy else "NONE",
        "lookAhead": "SCHEDULED" if kind == "NAdam" else "NESTEROV" if group.get("nesterov") else "NONE",
        "secondMoment": {"SGD": "NONE", "Adagrad": "SUM"}.get(kind, second),
        "momentumLast": kind == "RMSprop" and heavy,
        "epsilonInside": kind == "Adadelta",
        "unitCorrection": kind == "Adadelta",
        "sign": False,
        "biasCorrection": adam,
        "decay": "DECOUPLED" if kind == "AdamW" or group.get("decoupled_weight_decay") else "L2",
        "maximize": group["maximize"],
    }


def hyperparameters(group):
    values = {ours: float(group[theirs]) for ours, theirs in OPTIONS.items() if theirs in group}
    beta1, beta2 = group.get("betas", (None, group.get("alpha", group.get("rho"))))
    values |= {name: float(beta) for name, beta in (("beta1", beta1), ("beta2", beta2)) if beta is not None}
    if group.get("momentum"):
        values |= {"momentum": float(group["momentum"]), "dampening": float(group.get("dampening", 0))}
    return values


def to_torch(file, named_parameters, optimizer):
    """Loads parameters and states, and returns the optimizer's state dict."""
    with safe_open(file, "pt") as opened:
        training = json.loads(opened.metadata()["panoptim.training"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
    assert training["rule"] == rule(optimizer), (training["rule"], rule(optimizer))
    kind, names = type(optimizer).__name__, {parameter: name for name, parameter in named_parameters}
    loaded = optimizer.state_dict()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, parameter in enumerate(parameters):
        name = names[parameter]
        saved = training["parameters"][name]
        parameter.data.copy_(tensors["parameter/" + name].view_as(parameter))
        if saved["steps"]:
            state = {} if kind == "SGD" else {"step": torch.tensor(float(saved["steps"]))}
            state |= {"mu_product": torch.tensor(saved["momentumProduct"])} if kind == "NAdam" else {}
            for ours, theirs in STATES[kind].items():
                if f"{ours}/{name}" in tensors:
                    state[theirs] = tensors[f"{ours}/{name}"].view_as(parameter).clone()
            loaded["state"][index] = state
    for group, into in zip(optimizer.param_groups, loaded["param_groups"]):
        values = training["parameters"][names[group["params"][0]]]["hyperparameters"]
        into |= {theirs: values[ours] for ours, theirs in OPTIONS.items() if theirs in into}
        into |= {name: values[name] for name in ("momentum", "dampening") if name in into and name in values}
        into |= {name: values["beta2"] for name in ("alpha", "rho") if name in into}
        into |= {"betas": (values["beta1"], values["beta2"])} if "betas" in into else {}
    optimizer.load_state_dict(loaded)
    return optimizer.state_dict()


def from_torch(named_parameters, optimizer, file, step):
    """Writes a checkpoint of a training that has made so many steps."""
    names, tensors, parameters = {parameter: name for name, parameter in named_parameters}, {}, {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            name, state = names[parameter], optimizer.state.get(parameter, {})
            states = {ours: state.get(theirs) for ours, theirs in STATES[type(optimizer).__name__].items()}
            states = {f"{ours}/{name}": tensor for ours, tensor in states.items() if tensor is not None}
            # SGD counts no steps: those with a momentum buffer have made some.
            steps = int(state.get("step", step if states or not group.get("momentum") else 0))
            for key, tensor in {f"parameter/{name}": parameter, **(states if steps else {})}.items():
                tensors[key] = tensor.detach().cpu().float().flatten().clone()
            parameters[name] = {"size": parameter.numel(), "steps": steps}
            parameters[name] |= {"momentumProduct": float(state.get("mu_product", 1))}
            parameters[name] |= {"hyperparameters": hyperparameters(group)}
    training = {"format": 1, "version": f"torch {torch.__version__}", "step": step, "rule": rule(optimizer)}
    training = json.dumps(training | {"parameters": parameters, "extras": {}})
    checksums = json.dumps({key: f"{zlib.crc32(tensor.numpy().tobytes()):08x}" for key, tensor in tensors.items()})
    checksum = f"{zlib.crc32((training + checksums).encode()):08x}"
    metadata = {"panoptim.training": training, "panoptim.checksums": checksums, "panoptim.checksum": checksum}
    save_file(tensors, file, metadata)
