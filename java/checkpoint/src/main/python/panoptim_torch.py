"""Checkpoints of Panoptim to and from torch.optim.

Adam, AdamW, NAdam, RAdam, Adamax, SGD, ASGD, Adagrad, RMSprop, Adadelta, Rprop and Adafactor.

    to_torch("step-000000001000.safetensors", model.named_parameters(), optimizer)
    from_torch(model.named_parameters(), optimizer, "panoptim.safetensors", step=1000)

Parameters must have the same names on both sides. Shapes are PyTorch's: a checkpoint that is made here has only numbers
of elements, except of Adafactor.
docs/checkpoints.md describes the format of the file.
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
    "Adamax": {"firstMoment": "exp_avg", "secondMoment": "exp_inf"},
    "ASGD": {"parameterAverage": "ax"},
    "Rprop": {"previousGradient": "prev", "stepSizes": "step_size"},
    "Adafactor": {"rowMeans": "row_var", "columnMeans": "col_var", "secondMoment": "variance"},
    **dict.fromkeys(["Adam", "AdamW", "NAdam", "RAdam"], ADAM),
}
# The second moments that depend on the kind alone.
SECOND = {**dict.fromkeys(["SGD", "ASGD", "Rprop"], "NONE"), "Adagrad": "SUM"}
SECOND |= {"RAdam": "RECTIFIED_AVERAGE", "Adamax": "INFINITY_NORM", "Adafactor": "FACTORED_AVERAGE"}
DECAY = {"AdamW": "DECOUPLED", "ASGD": "DECOUPLED", "Adafactor": "DECOUPLED", "Rprop": "NONE"}
UPDATE = {"ASGD": "AVERAGED", "Rprop": "SIGN_STEPS"}
OPTIONS = {"learningRate": "lr", "weightDecay": "weight_decay", "epsilon": "eps", "learningRateDecay": "lr_decay"}
OPTIONS |= {"initialAccumulator": "initial_accumulator_value", "momentumDecay": "momentum_decay"}
# Options that mean something else in another kind: alpha is RMSprop's beta2. Rprop has no weight decay.
OWN = {"ASGD": {"lambd": "lambd", "power": "alpha", "averagingStart": "t0"}}
OWN |= {"Adafactor": {"beta2Decay": "beta2_decay", "clipThreshold": "d"}}
PAIRS = {"Rprop": {"etas": ("etaMinus", "etaPlus"), "step_sizes": ("smallestStep", "largestStep")}}
PAIRS |= {"Adafactor": {"eps": ("epsilon", "epsilon2")}}
# What PyTorch has no option for.
FIXED = {"Adafactor": {"relativeStep": 1.0}}


def options(kind):
    """Our names of the options that are single numbers, with theirs."""
    others = {("Rprop", "weight_decay"), ("Adafactor", "eps")}
    common = {ours: theirs for ours, theirs in OPTIONS.items() if (kind, theirs) not in others}
    return common | OWN.get(kind, {})


def rule(kind, group):
    adam, heavy = "exp_avg" in STATES[kind].values(), bool(group.get("momentum"))
    second = "MAXIMUM_OF_AVERAGE" if group.get("amsgrad") else "MOVING_AVERAGE"
    second = "CENTERED_AVERAGE" if group.get("centered") else second
    return {
        "firstMoment": "MOVING_AVERAGE" if adam else "HEAVY_BALL" if heavy else "NONE",
        "nesterov": "SCHEDULED" if kind == "NAdam" else "NESTEROV" if group.get("nesterov") else "NONE",
        "secondMoment": SECOND.get(kind, second),
        "momentumLast": kind == "RMSprop" and heavy,
        "epsilonInside": kind == "Adadelta",
        "unitCorrection": kind == "Adadelta",
        "sign": False,
        "biasCorrection": adam,
        "epsilonBeforeCorrection": False,
        "decay": "DECOUPLED" if group.get("decoupled_weight_decay") else DECAY.get(kind, "L2"),
        "update": UPDATE.get(kind, "DESCENT"),
        "tensorFactor": "PARAMETER_SIZE" if kind == "Adafactor" else "NONE",
        "maximize": group["maximize"],
    }


def hyperparameters(kind, group):
    values = {ours: float(group[theirs]) for ours, theirs in options(kind).items() if theirs in group}
    values |= FIXED.get(kind, {})
    for theirs, ours in PAIRS.get(kind, {}).items():
        # Only Adafactor's epsilon can be None: that of the type.
        machine = torch.finfo(group["params"][0].dtype).eps
        values |= {name: float(machine if value is None else value) for name, value in zip(ours, group[theirs])}
    beta1, beta2 = group.get("betas", (None, None if kind == "ASGD" else group.get("alpha", group.get("rho"))))
    values |= {name: float(beta) for name, beta in (("beta1", beta1), ("beta2", beta2)) if beta is not None}
    if group.get("momentum"):
        values |= {"momentum": float(group["momentum"]), "dampening": float(group.get("dampening", 0))}
    return values


def read(file):
    """The training and the tensors, once all checksums are verified."""
    with safe_open(file, "pt") as opened:
        metadata, tensors = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}
    training, sums = metadata["panoptim.training"], metadata["panoptim.checksums"]
    if crc((training + sums).encode()) != metadata["panoptim.checksum"] or json.loads(sums) != checksums(tensors):
        raise ValueError(f"{file} is damaged: a checksum differs")
    return json.loads(training), tensors


def crc(data):
    return f"{zlib.crc32(data):08x}"


def checksums(tensors):
    return {name: crc(tensor.numpy().tobytes()) for name, tensor in tensors.items()}


def modern(training):
    """The training as format 4 has it: formats 1 to 3 have one rule, and a product under every rule."""
    if training["format"] < 4:
        if "lookAhead" in training["rule"]:
            training["rule"]["nesterov"] = training["rule"].pop("lookAhead")
        training["rules"] = [training.pop("rule")]
        for saved in training["parameters"].values():
            saved |= {"rule": 0, "scalars": {"momentumProduct": saved.pop("momentumProduct")}}
    return training


def state_shape(kind, ours, shape):
    """The shape of one of our states; None if a parameter of this shape has no such state in PyTorch."""
    if kind != "Adafactor":
        return shape
    rows, columns = (*shape[:-1], 1), (*shape[:-2], 1, *shape[-1:])
    used = {"rowMeans": rows, "columnMeans": columns} if len(shape) > 1 else {"secondMoment": shape}
    return used.get(ours)


def parts(rule):
    """What a rule has. Fields that a writer does not know are left out, so the values of plain descent count as absent."""
    return {name: value for name, value in rule.items() if value not in (False, "NONE", "DESCENT")}


def rate_and_share(values, steps):
    """ASGD's eta and mu after the given number of steps: those of the next step."""
    rate = values["learningRate"] / (1 + values["lambd"] * values["learningRate"] * steps) ** values["power"]
    return {"eta": torch.tensor(rate), "mu": torch.tensor(1 / max(1, steps - values["averagingStart"]))}


def to_torch(file, named_parameters, optimizer):
    """Loads parameters and states, and returns the optimizer's state dict; nothing changes unless all of it fits."""
    training, tensors = read(file)
    training = modern(training)
    kind, names = type(optimizer).__name__, {parameter: name for name, parameter in named_parameters}
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if {names[parameter]: parameter.numel() for parameter in parameters} != {
        name: saved["size"] for name, saved in training["parameters"].items()
    }:
        raise ValueError("the checkpoint has other parameters than the optimizer")
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            found = training["rules"][training["parameters"][names[parameter]]["rule"]]
            if parts(found) != parts(rule(kind, group)):
                raise ValueError(
                    f"the checkpoint's rule of {names[parameter]} is {found}, but the optimizer's {rule(kind, group)}"
                )
    for name, saved in training["parameters"].items():
        for ours, value in FIXED.get(kind, {}).items():
            if saved["hyperparameters"][ours] != value:
                raise ValueError(f"{ours} of {name} is {saved['hyperparameters'][ours]}, but PyTorch has {value} only")
    # What a new optimizer has: Adagrad, for one, starts with states.
    loaded = type(optimizer)(optimizer.param_groups).state_dict()
    for index, parameter in enumerate(parameters):
        name = names[parameter]
        saved = training["parameters"][name]
        if saved["steps"]:
            state = {} if kind == "SGD" else {"step": torch.tensor(float(saved["steps"]))}
            state |= {"mu_product": torch.tensor(saved["scalars"]["momentumProduct"])} if kind == "NAdam" else {}
            state |= rate_and_share(saved["hyperparameters"], saved["steps"]) if kind == "ASGD" else {}
            for ours, theirs in STATES[kind].items():
                shape, tensor = state_shape(kind, ours, parameter.shape), tensors.get(f"{ours}/{name}")
                if shape is not None and tensor is not None:
                    if tensor.numel() != torch.Size(shape).numel():
                        raise ValueError(
                            f"{ours} of {name} has the shape {list(tensor.shape)}, but a parameter of the shape"
                            f" {list(parameter.shape)} needs {list(shape)}"
                        )
                    state[theirs] = tensor.view(shape).clone()
            loaded["state"][index] = state
    for group, into in zip(optimizer.param_groups, loaded["param_groups"]):
        values = training["parameters"][names[group["params"][0]]]["hyperparameters"]
        if any(training["parameters"][names[each]]["hyperparameters"] != values for each in group["params"]):
            raise ValueError("parameters of one group have different hyperparameters in the checkpoint")
        into |= {theirs: values[ours] for ours, theirs in options(kind).items() if theirs in into}
        into |= {theirs: tuple(values[name] for name in ours) for theirs, ours in PAIRS.get(kind, {}).items()}
        into |= {name: values[name] for name in ("momentum", "dampening") if name in into and name in values}
        into |= {name: values["beta2"] for name in ("alpha", "rho") if name in into and kind != "ASGD"}
        into |= {"betas": (values["beta1"], values["beta2"])} if "betas" in into else {}
    optimizer.load_state_dict(loaded)
    for parameter in parameters:
        parameter.data.copy_(tensors["parameter/" + names[parameter]].view_as(parameter))
    return optimizer.state_dict()


def from_torch(named_parameters, optimizer, file, step):
    """Writes a checkpoint of a training that has made so many steps."""
    names, tensors, parameters = {parameter: name for name, parameter in named_parameters}, {}, {}
    kind, rules = type(optimizer).__name__, []
    for group in optimizer.param_groups:
        if rule(kind, group) not in rules:
            rules.append(rule(kind, group))
        for parameter in group["params"]:
            name, state = names[parameter], optimizer.state.get(parameter, {})
            states = {ours: state.get(theirs) for ours, theirs in STATES[kind].items()}
            if kind == "Adafactor" and state:
                # Here every parameter has all states.
                states = {ours: torch.empty(0) if tensor is None else tensor for ours, tensor in states.items()}
            states = {f"{ours}/{name}": tensor for ours, tensor in states.items() if tensor is not None}
            # SGD counts no steps: those with a momentum buffer have made some. Others count theirs.
            uncounted = 0 if kind != "SGD" or group.get("momentum") else step
            steps = int(state.get("step", max(step, 1) if states else uncounted))
            for key, tensor in {f"parameter/{name}": parameter, **(states if steps else {})}.items():
                tensor = tensor.detach().cpu().float().clone(memory_format=torch.contiguous_format)
                tensors[key] = tensor if kind == "Adafactor" else tensor.flatten()
            scalars = {"momentumProduct": float(state.get("mu_product", 1))} if kind == "NAdam" else {}
            parameters[name] = {"rule": rules.index(rule(kind, group)), "size": parameter.numel(), "steps": steps}
            parameters[name] |= {"scalars": scalars, "hyperparameters": hyperparameters(kind, group)}
            if kind == "Adafactor" and parameter.dim() != 1:
                parameters[name]["shape"] = list(parameter.shape)
    training = {"format": 4, "version": f"torch {torch.__version__}", "step": step, "rules": rules}
    training = json.dumps(training | {"parameters": parameters, "extras": {}})
    sums = json.dumps(checksums(tensors))
    metadata = {"panoptim.training": training, "panoptim.checksums": sums}
    metadata |= {"panoptim.checksum": crc((training + sums).encode())}
    save_file(tensors, file, metadata)
