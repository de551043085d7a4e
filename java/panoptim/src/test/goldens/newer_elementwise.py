"""Reference optimizers whose update of an element needs this element only. newer.py says how they were checked."""

import math

import torch


class Reference(torch.optim.Optimizer):
    """The loop over groups and parameters, the step count of each parameter, and the weight decay.

    The argument "decay" is "l2" (added to the gradient), "decoupled" (p *= 1 - lr * weight_decay before the update), or
    "own" (the update does it).
    """

    DEFAULTS = {}

    def __init__(self, params, **arguments):
        super().__init__(params, {"weight_decay": 0.0, "decay": "l2", "maximize": False, **self.DEFAULTS, **arguments})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    self.start(p, state, group)
                state["step"] += 1
                g = -p.grad if group["maximize"] else p.grad.clone()
                if group["decay"] == "l2":
                    g.add_(p, alpha=group["weight_decay"])
                elif group["decay"] == "decoupled":
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                self.update(p, g, state["step"], state, group)

    def start(self, p, state, group):
        pass

    def update(self, p, g, t, state, group):
        raise NotImplementedError


def average(state, name, g, beta):
    """The exponential moving average of g, which starts at 0."""
    return state.setdefault(name, torch.zeros_like(g)).mul_(beta).add_(g, alpha=1 - beta)


def average_of_squares(state, g, beta):
    return state.setdefault("v", torch.zeros_like(g)).mul_(beta).addcmul_(g, g, value=1 - beta)


def root(v, beta, t, eps):
    """sqrt(v / (1 - beta^t)) + eps"""
    return (v.sqrt() / math.sqrt(1 - beta**t)).add_(eps)


def heavy_ball(state, g, momentum, nesterov):
    """PyTorch's momentum: the buffer starts as the first gradient."""
    if "buffer" in state:
        state["buffer"].mul_(momentum).add_(g)
    else:
        state["buffer"] = g.clone()
    return g.add(state["buffer"], alpha=momentum) if nesterov else state["buffer"]


class SGDW(Reference):
    DEFAULTS = dict(decay="decoupled", nesterov=False)

    def update(self, p, g, t, state, group):
        p.add_(heavy_ball(state, g, group["momentum"], group["nesterov"]), alpha=-group["lr"])


class Signum(Reference):
    DEFAULTS = dict(decay="decoupled")

    def update(self, p, g, t, state, group):
        p.add_(average(state, "m", g, group["momentum"]).sign(), alpha=-group["lr"])


class QHM(Reference):
    def update(self, p, g, t, state, group):
        m = average(state, "m", g, group["momentum"])
        p.add_(g * (1 - group["nu"]) + m * group["nu"], alpha=-group["lr"])


class QHAdam(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), nus=(0.7, 1.0), eps=1e-8)

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        nu1, nu2 = group["nus"]
        m = average(state, "m", g, beta1) / (1 - beta1**t)
        v = average_of_squares(state, g, beta2) / (1 - beta2**t)
        denominator = (g * g * (1 - nu2) + v * nu2).sqrt_().add_(group["eps"])
        p.addcdiv_(g * (1 - nu1) + m * nu1, denominator, value=-group["lr"])


class NAdamW(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        mu, next_mu = (beta1 * (1 - 0.5 * 0.96 ** (s * group["momentum_decay"])) for s in (t, t + 1))
        product = state["product"] = state.get("product", 1.0) * mu
        m = average(state, "m", g, beta1)
        denominator = root(average_of_squares(state, g, beta2), beta2, t, group["eps"])
        p.addcdiv_(g, denominator, value=-group["lr"] * (1 - mu) / (1 - product))
        p.addcdiv_(m, denominator, value=-group["lr"] * next_mu / (1 - product * next_mu))


class RAdamW(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-8, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = average(state, "m", g, beta1) / (1 - beta1**t)
        v = average_of_squares(state, g, beta2)
        limit = 2 / (1 - beta2) - 1
        length = limit - 2 * t * beta2**t / (1 - beta2**t)
        if length > 5:
            rectification = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
            scale = math.sqrt(1 - beta2**t) * math.sqrt(rectification)
            p.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-group["lr"] * scale)
        else:
            p.add_(m, alpha=-group["lr"])


class ASGD(Reference):
    DEFAULTS = dict(lambd=1e-4, alpha=0.75, t0=1e6)

    def start(self, p, state, group):
        state.update(eta=group["lr"], mu=1.0, average=torch.zeros_like(p))

    def update(self, p, g, t, state, group):
        lr, lambd = group["lr"], group["lambd"]
        p.mul_(1 - lambd * state["eta"]).add_(g, alpha=-state["eta"])
        state["average"].add_(p - state["average"], alpha=state["mu"])
        state["eta"] = lr / (1 + lambd * lr * t) ** group["alpha"]
        state["mu"] = 1 / max(1, t - group["t0"])

    def average(self, p):
        return self.state[p]["average"]


class Rprop(Reference):
    DEFAULTS = dict(etas=(0.5, 1.2), step_sizes=(1e-6, 50))

    def start(self, p, state, group):
        state.update(previous=torch.zeros_like(p), size=torch.full_like(p, group["lr"]))

    def update(self, p, g, t, state, group):
        sign = (g * state["previous"]).sign()
        shrink, grow = group["etas"]
        factor = torch.ones_like(p).masked_fill_(sign < 0, shrink).masked_fill_(sign > 0, grow)
        state["size"].mul_(factor).clamp_(*group["step_sizes"])
        state["previous"] = g.masked_fill(sign < 0, 0)
        p.addcmul_(state["previous"].sign(), state["size"], value=-1)


class AdaBelief(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-16, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m = average(state, "m", g, beta1)
        s = average_of_squares(state, g - m, beta2).add_(group["eps"])
        p.addcdiv_(m, root(s, beta2, t, group["eps"]), value=-group["lr"] / (1 - beta1**t))


class Yogi(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-3, initial=1e-6)

    def start(self, p, state, group):
        state.update(m=torch.full_like(p, group["initial"]), v=torch.full_like(p, group["initial"]))

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        m, v, squared = average(state, "m", g, beta1), state["v"], g * g
        v.addcmul_((v - squared).sign(), squared, value=beta2 - 1)
        p.addcdiv_(m, root(v, beta2, t, group["eps"]), value=-group["lr"] / (1 - beta1**t))


class ADOPT(Reference):
    DEFAULTS = dict(betas=(0.9, 0.9999), eps=1e-6, exponent=0.333, decay="own")

    def update(self, p, g, t, state, group):
        if t == 1:
            state["v"] = g * g
            return
        beta1, beta2 = group["betas"]
        p.mul_(1 - group["lr"] * group["weight_decay"])
        bound = (t - 1) ** group["exponent"]
        direction = g / state["v"].sqrt().clamp_(min=group["eps"])
        p.add_(average(state, "m", direction.clamp_(-bound, bound), beta1), alpha=-group["lr"])
        average_of_squares(state, g, beta2)


class LaProp(Reference):
    DEFAULTS = dict(betas=(0.9, 0.999), eps=1e-15, decay="decoupled")

    def update(self, p, g, t, state, group):
        beta1, beta2 = group["betas"]
        direction = g / root(average_of_squares(state, g, beta2), beta2, t, group["eps"])
        p.add_(average(state, "m", direction, beta1), alpha=-group["lr"] / (1 - beta1**t))


def half_life(beta):
    return math.log(0.5) / math.log(beta + 1e-8) - 1


class AdEMAMix(Reference):
    """The warm-up of alpha and beta3 lasts warm_up steps; 0 means none."""

    DEFAULTS = dict(betas=(0.9, 0.999, 0.9999), alpha=2.0, warm_up=0, eps=1e-8, decay="own")

    def update(self, p, g, t, state, group):
        beta1, beta2, beta3 = group["betas"]
        alpha = group["alpha"]
        if t < group["warm_up"]:
            done = t / group["warm_up"]
            alpha = alpha * done
            beta3 = 0.5 ** (1 / ((1 - done) * half_life(beta1) + done * half_life(beta3) + 1))
        fast = average(state, "fast", g, beta1) / (1 - beta1**t)
        slow = average(state, "slow", g, beta3)
        denominator = root(average_of_squares(state, g, beta2), beta2, t, group["eps"])
        p.add_((fast + slow * alpha) / denominator + p * group["weight_decay"], alpha=-group["lr"])


class Adan(Reference):
    DEFAULTS = dict(betas=(0.98, 0.92, 0.99), eps=1e-8, decay="own")

    def update(self, p, g, t, state, group):
        beta1, beta2, beta3 = group["betas"]
        lr = group["lr"]
        difference = g - state.get("previous", g)
        state["previous"] = g
        m, d = average(state, "m", g, beta1), average(state, "d", difference, beta2)
        denominator = root(average_of_squares(state, g + difference * beta2, beta3), beta3, t, group["eps"])
        p.addcdiv_(m, denominator, value=-lr / (1 - beta1**t))
        p.addcdiv_(d, denominator, value=-lr * beta2 / (1 - beta2**t))
        if group["decay"] == "own":
            p.div_(1 + lr * group["weight_decay"])


class Sophia(Reference):
    """Each step whose number is a multiple of `period` also updates the Hessian state with its gradient, at its end."""

    DEFAULTS = dict(betas=(0.965, 0.99), rho=0.04, batch_size=1, period=10, decay="decoupled")

    def start(self, p, state, group):
        state["v"] = torch.zeros_like(p)

    def update(self, p, g, t, state, group):
        m = average(state, "m", g, group["betas"][0])
        size = (m.abs() / (state["v"] * (group["rho"] * group["batch_size"]) + 1e-15)).clamp_(max=1)
        p.addcmul_(m.sign(), size, value=-group["lr"])
        if t % group["period"] == 0:
            average_of_squares(state, g, group["betas"][1])


class FTRL(Reference):
    DEFAULTS = dict(initial=0.1, l1=0.0, l2=0.0, beta=0.0)

    def start(self, p, state, group):
        state.update(z=torch.zeros_like(p), n=torch.full_like(p, group["initial"]))

    def update(self, p, g, t, state, group):
        lr, z = group["lr"], state["z"]
        n = state["n"].addcmul(g, g)
        z.add_(g).sub_((n.sqrt() - state["n"].sqrt()) / lr * p)
        state["n"] = n
        curvature = n.sqrt() / lr + 2 * (group["l2"] + group["beta"] / (2 * lr))
        p.copy_((z.clamp(-group["l1"], group["l1"]) - z) / curvature)


class ScheduleFree(Reference):
    """With "momentum" it is SGD, with "betas" AdamW. p is y, and average(p) is x."""

    DEFAULTS = dict(eps=1e-8, warm_up=0, r=0.0, power=2.0, decay="own")

    def start(self, p, state, group):
        state.update(z=p.clone(), largest=0.0, total=0.0)

    def update(self, p, g, t, state, group):
        lr = group["lr"] * (t / group["warm_up"] if t < group["warm_up"] else 1.0)
        state["largest"] = max(state["largest"], lr)
        weight = t ** group["r"] * state["largest"] ** group["power"]
        state["total"] += weight
        c = weight / state["total"]
        if "betas" in group:
            beta1, beta2 = group["betas"]
            g = g / root(average_of_squares(state, g, beta2), beta2, t, group["eps"])
        else:
            beta1 = group["momentum"]
        u = g.add(p, alpha=group["weight_decay"])
        p.lerp_(state["z"], c).add_(u, alpha=lr * (beta1 * (1 - c) - 1))
        state["z"].sub_(u, alpha=lr)

    def average(self, p):
        group = next(group for group in self.param_groups if any(q is p for q in group["params"]))
        beta1 = group["betas"][0] if "betas" in group else group["momentum"]
        return p.detach().lerp(self.state[p]["z"], 1 - 1 / beta1)
