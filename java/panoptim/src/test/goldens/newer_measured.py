"""Reference optimizers that need sums over the tensor, or matrix products. newer.py says how they were checked."""

import math

import torch

from newer_elementwise import Reference, average, average_of_squares, heavy_ball, root


def mean_square(x):
    return (x * x).mean().item()


def cautious(update, g):
    """The update where its sign is the gradient's, and 0 elsewhere, scaled up for the elements left out."""
    mask = (update * g > 0).to(g.dtype)
    return update * (mask / mask.mean().clamp(min=1e-3))


class CautiousAdamW(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-8, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = average(state, "m", g, beta1)
        denominator = root(average_of_squares(state, g, beta2), beta2, t, group["eps"])
        p.addcdiv_(cautious(m, g), denominator, value=-group["lr"] / (1 - beta1**t))


class CautiousLion(Reference):
    DEFAULTS = dict(betas=(0.9, 0.99), decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = state.setdefault("m", torch.zeros_like(g))
        p.add_(cautious((m * beta1 + g * (1 - beta1)).sign_(), g), alpha=-group["lr"])
        average(state, "m", g, beta2)


class CautiousSGD(Reference):
    def update(self, p, g, t, state, group):
        p.add_(cautious(heavy_ball(state, g, group["momentum"], False), g), alpha=-group["lr"])


class MARS(Reference):
    """With AdamW inside, and for tensors of any number of dimensions. The correction of the first step is 0."""

    DEFAULTS = dict(betas=(0.95, 0.99), eps=1e-8, gamma=0.025, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        c = g.add(g - state.get("previous", g), alpha=group["gamma"] * beta1 / (1 - beta1))
        state["previous"] = g
        c.div_(max(1.0, c.norm().item()))
        m = average(state, "m", c, beta1)
        denominator = root(average_of_squares(state, c, beta2), beta2, t, group["eps"])
        p.addcdiv_(m, denominator, value=-group["lr"] / (1 - beta1**t))


class LAMB(Reference):
    """Without the clipping of the global norm."""

    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-6, always=False, largest=math.inf, decay="own")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = average(state, "m", g, beta1) / (1 - beta1**t)
        u = m.div_(root(average_of_squares(state, g, beta2), beta2, t, group["eps"]))
        u.add_(p, alpha=group["weight_decay"])
        ratio = 1.0
        if group["weight_decay"] != 0 or group["always"]:
            norms = p.norm().item(), u.norm().item()
            ratio = min(norms[0] / norms[1], group["largest"]) if all(norms) else 1.0
        p.add_(u, alpha=-group["lr"] * ratio)


class LARS(Reference):
    """With clip, it is LARC."""

    DEFAULTS = dict(trust=0.001, eps=1e-8, nesterov=False, clip=False, decay="own")

    def update(self, p, g, t, state, group):
        decay = group["weight_decay"]
        norm, g_norm = p.norm().item(), g.norm().item()
        ratio = 1.0
        if norm != 0 and g_norm != 0:
            ratio = group["trust"] * norm / (g_norm + decay * norm + group["eps"])
        if group["clip"]:
            ratio = min(ratio / group["lr"], 1.0)
        g.add_(p, alpha=decay).mul_(ratio)
        p.add_(heavy_ball(state, g, group["momentum"], group["nesterov"]), alpha=-group["lr"])


class NovoGrad(Reference):
    DEFAULTS = dict(betas=(0.95, 0.98), eps=1e-8, averaging=False, decay="own")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        squares = (g * g).sum().item()
        state["v"] = squares if t == 1 else beta2 * state["v"] + (1 - beta2) * squares
        g.div_(math.sqrt(state["v"]) + group["eps"]).add_(p, alpha=group["weight_decay"])
        m = state.setdefault("m", torch.zeros_like(p))
        m.mul_(beta1).add_(g, alpha=1 - beta1 if group["averaging"] else 1)
        p.add_(m, alpha=-group["lr"])


class StableAdamW(Reference):
    """The ratio uses v after its bias correction, and the weight decay uses the reduced learning rate."""

    DEFAULTS = dict(betas=(0.9, 0.99), eps=1e-8, decay="own")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = average(state, "m", g, beta1)
        v = average_of_squares(state, g, beta2)
        ratio = (g * g / (v / (1 - beta2**t)).clamp_(min=group["eps"] ** 2)).mean().item()
        lr = group["lr"] / max(1.0, math.sqrt(ratio))
        p.mul_(1 - lr * group["weight_decay"])
        p.addcdiv_(m, root(v, beta2, t, group["eps"]), value=-lr / (1 - beta1**t))


def factors(g, floor, keep, state):
    """Moving averages of the mean squares of rows and columns, each squared element plus floor."""
    squared = g * g + floor
    rows, columns = squared.mean(dim=1, keepdim=True), squared.mean(dim=0, keepdim=True)
    for name, means in ("rows", rows), ("columns", columns):
        state[name] = means if name not in state else state[name].lerp(means, keep)
    return state["rows"], state["columns"]


class Adafactor(Reference):
    """PyTorch's form. The scale comes from p before its decay."""

    DEFAULTS = dict(beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, decay="own")

    def update(self, p, g, t, state, group):
        eps1, eps2 = group["eps"]
        eps1 = torch.finfo(p.dtype).eps if eps1 is None else eps1
        fresh = t ** group["beta2_decay"]
        scale = max(eps2, math.sqrt(mean_square(p))) * min(group["lr"], t**-0.5)
        p.mul_(1 - group["lr"] * group["weight_decay"])
        if g.dim() == 2:
            rows, columns = factors(g, 0.0, fresh, state)
            v = rows @ columns / rows.mean().clamp(min=eps1)
        else:
            v = state["v"] = state.get("v", torch.zeros_like(g)).lerp(g * g, fresh)
        u = g * v.clamp(min=eps1 * eps1).rsqrt()
        p.add_(u, alpha=-scale / max(1.0, math.sqrt(mean_square(u)) / group["d"]))


class AdafactorTransformers(Reference):
    """The form of Transformers for matrices, with relative steps and scaled parameters."""

    DEFAULTS = dict(beta2_decay=-0.8, eps=(1e-30, 1e-3), d=1.0, decay="own")

    def update(self, p, g, t, state, group):
        eps1, eps2 = group["eps"]
        lr = min(1e-2, t**-0.5) * max(eps2, math.sqrt(mean_square(p)))
        rows, columns = factors(g, eps1, t ** group["beta2_decay"], state)
        u = g * (rows / rows.mean()).rsqrt() * columns.rsqrt()
        u.div_(max(1.0, math.sqrt(mean_square(u)) / group["d"])).mul_(lr)
        p.add_(p, alpha=-group["weight_decay"] * lr).sub_(u)


def newton_schulz(g, coefficients, steps):
    """Steps of the quintic iteration, in the type of g (PyTorch rounds to bfloat16)."""
    a, b, c = coefficients
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / max(x.norm().item(), 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if g.shape[0] > g.shape[1] else x


class Muon(Reference):
    DEFAULTS = dict(
        momentum=0.95,
        nesterov=True,
        match_rms=False,
        coefficients=(3.4445, -4.7750, 2.0315),
        steps=5,
        decay="decoupled",
    )

    def update(self, p, g, t, state, group):
        momentum = group["momentum"]
        buffer = state.setdefault("buffer", torch.zeros_like(g)).lerp_(g, 1 - momentum)
        u = g.lerp(buffer, momentum) if group["nesterov"] else buffer
        rows, columns = p.shape
        scale = 0.2 * math.sqrt(max(rows, columns)) if group["match_rms"] else math.sqrt(max(1, rows / columns))
        p.add_(newton_schulz(u, group["coefficients"], group["steps"]), alpha=-group["lr"] * scale)
