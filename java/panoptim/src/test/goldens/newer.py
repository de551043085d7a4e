"""The cases of the optimizers that were added without PyTorch 2.13: python make.py newer

PyTorch 1.13 suffices, and made the files. newer_elementwise.py and newer_measured.py implement the optimizers from
their papers. In float64, over 60 steps with the arguments below, each case was compared with another implementation.
The error is the largest difference, relative to the largest parameter:

sgdw, sgdw-nesterov: timm, 0
signum: pytorch_optimizer, 0; there the momentum had to be kept from step to step, and the decay be added
qhm, qhadam: qhoptim, 1.2e-15
nadamw, radamw: nadam-decoupled.f64 and radam-decoupled.f64, which are from PyTorch 2.13 (40 steps), 2.1e-16
asgd, rprop: PyTorch 1.13, single-tensor form, 0
adabelief: adabelief_pytorch 0.2.1 without rectification, 0
yogi: pytorch_optimizer, 0
adopt, adan: timm, 8.2e-16
laprop: timm, 1.0e-15; the decay was done before the step
ademamix: the authors' ml-ademamix, 3.9e-16
sophia: the authors' Sophia, 0
ftrl: pytorch_optimizer with its sums of squares started at 0.1 and twice the l2, 3.3e-16
schedule-free: the authors' schedule_free, 3.0e-16, and its reference form, 1.2e-15; the averages too, 1.3e-15
mars: the authors' MARS with the first gradient as the one before it, 1.7e-15
lamb (without the clipping of the global norm), lars, larc, novograd: timm, 5.9e-16
stable-adamw: optimi, 3.5e-16
adamw-cautious, lion-cautious, sgd-momentum-cautious: timm, 0
adafactor: the single-tensor form of PyTorch's main branch in 2026, 6.1e-16
adafactor-transformers: timm's Adafactor, 6.7e-16
muon: timm with the iteration in float64, 8.7e-16

The cases of SEQUENCES were compared too, with the same implementations, over their 40 steps: 8.2e-16. Where those count
the steps of a group, groups without a gradient were left out. No case is unchecked.

Choices:
- "first" and "third" of the matrix cases are from a 1 x 2 matrix (2 x 1 for muon-match-rms).
- The Adafactor of PyTorch takes the machine epsilon of the type. Muon iterates in the type of the run.
- The weight decay is decoupled, except where a case says otherwise, and except as follows. It is added to the gradient
  in qhm, qhadam, asgd, yogi and schedule-free-sgd, and in lars and larc before the gradient is scaled. It is added to
  the update in lamb, novograd and schedule-free-adamw. Adan divides by 1 + lr * weight_decay after the step.
- Sophia has the batch size 5120, the default of the authors. With 1, nearly all directions are clamped, and rounding
  errors of the few others are amplified so much that two elements decide the whole error.
- Stable AdamW decays with the reduced learning rate.
- MARS is applied to vectors too. Its correction is 0 in the first step, whose gradient is scaled to norm 1 too.
"""

import newer_elementwise as e
import newer_measured as m

FACTORED = (40, 50)
TALL = (50, 40)
OTHER = dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3)

CASES = {
    "sgdw": (e.SGDW, dict(lr=0.1, momentum=0.9, weight_decay=0.1)),
    "sgdw-nesterov": (e.SGDW, dict(lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True)),
    "signum": (e.Signum, dict(lr=0.01, momentum=0.9)),
    "signum-weight-decay": (e.Signum, dict(lr=0.01, momentum=0.8, weight_decay=0.1)),
    "qhm": (e.QHM, dict(lr=0.1, momentum=0.9, nu=0.7)),
    "qhm-weight-decay": (e.QHM, dict(lr=0.1, momentum=0.999, nu=0.7, weight_decay=0.1)),
    "qhadam": (e.QHAdam, dict(lr=0.01)),
    "qhadam-nus": (e.QHAdam, dict(OTHER, nus=(0.8, 0.7), weight_decay=0.1)),
    "qhadam-decoupled": (e.QHAdam, dict(lr=0.01, weight_decay=0.1, decay="decoupled", maximize=True)),
    "nadamw": (e.NAdamW, dict(lr=0.01, weight_decay=0.1)),
    "radamw": (e.RAdamW, dict(lr=0.01, weight_decay=0.1)),
    "asgd": (e.ASGD, dict(lr=0.1)),
    "asgd-average": (e.ASGD, dict(lr=0.1, lambd=0.01, alpha=0.5, t0=10, weight_decay=0.1)),
    "rprop": (e.Rprop, dict(lr=0.01)),
    "rprop-etas": (e.Rprop, dict(lr=0.01, etas=(0.4, 1.3), step_sizes=(1e-3, 0.1), maximize=True)),
    "adabelief": (e.AdaBelief, dict(lr=0.1)),
    "adabelief-weight-decay": (e.AdaBelief, dict(lr=0.01, betas=(0.8, 0.9), eps=1e-8, weight_decay=0.1)),
    "yogi": (e.Yogi, dict(lr=0.1)),
    "yogi-weight-decay": (e.Yogi, dict(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1)),
    "adopt": (e.ADOPT, dict(lr=0.01)),
    "adopt-weight-decay": (e.ADOPT, dict(OTHER, weight_decay=0.1)),
    "laprop": (e.LaProp, dict(lr=0.01)),
    "laprop-weight-decay": (e.LaProp, dict(OTHER, weight_decay=0.1)),
    "ademamix": (e.AdEMAMix, dict(lr=0.01)),
    "ademamix-warm-up": (e.AdEMAMix, dict(lr=0.01, betas=(0.8, 0.9, 0.99), alpha=5.0, warm_up=20, weight_decay=0.1)),
    "adan": (e.Adan, dict(lr=0.01)),
    "adan-weight-decay": (e.Adan, dict(lr=0.01, betas=(0.9, 0.8, 0.95), eps=1e-3, weight_decay=0.1)),
    "adan-decoupled": (e.Adan, dict(lr=0.01, weight_decay=0.1, decay="decoupled")),
    "sophia": (e.Sophia, dict(lr=0.01, batch_size=5120, weight_decay=0.1)),
    "ftrl": (e.FTRL, dict(lr=0.1)),
    "ftrl-l1": (e.FTRL, dict(lr=0.1, l1=0.01, l2=0.01, beta=0.1)),
    "schedule-free-sgd": (e.ScheduleFree, dict(lr=0.1, momentum=0.9)),
    "schedule-free-sgd-weight-decay": (e.ScheduleFree, dict(lr=0.1, momentum=0.9, weight_decay=0.1, warm_up=10)),
    "schedule-free-adamw": (e.ScheduleFree, dict(lr=0.01, betas=(0.9, 0.999))),
    "schedule-free-adamw-warm-up": (e.ScheduleFree, dict(OTHER, weight_decay=0.1, warm_up=10, r=1.0)),
    "mars": (m.MARS, dict(lr=0.01)),
    "mars-weight-decay": (m.MARS, dict(lr=0.01, gamma=0.05, weight_decay=0.1)),
    "lamb": (m.LAMB, dict(lr=0.01, weight_decay=0.01)),
    "lamb-always": (m.LAMB, dict(lr=0.01, always=True)),
    "lamb-clipped": (m.LAMB, dict(lr=0.01, weight_decay=0.1, largest=1.0)),
    "lars": (m.LARS, dict(lr=0.1, momentum=0.9, weight_decay=0.1)),
    "lars-nesterov": (m.LARS, dict(lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True)),
    "larc": (m.LARS, dict(lr=0.1, momentum=0.9, weight_decay=0.01, trust=0.02, clip=True)),
    "novograd": (m.NovoGrad, dict(lr=0.01, weight_decay=0.1)),
    "novograd-averaging": (m.NovoGrad, dict(lr=0.01, betas=(0.9, 0.9), averaging=True)),
    "stable-adamw": (m.StableAdamW, dict(lr=0.01, weight_decay=0.1)),
    "adamw-cautious": (m.CautiousAdamW, dict(lr=0.01, weight_decay=0.1)),
    "lion-cautious": (m.CautiousLion, dict(lr=0.01)),
    "sgd-momentum-cautious": (m.CautiousSGD, dict(lr=0.1, momentum=0.9)),
    "adafactor": (m.Adafactor, dict(lr=0.01, weight_decay=0.1)),
    "adafactor-vector": (m.Adafactor, dict(lr=0.01)),
    "adafactor-transformers": (m.AdafactorTransformers, dict()),
    "muon": (m.Muon, dict(lr=0.02, weight_decay=0.1)),
    "muon-match-rms": (m.Muon, dict(lr=0.02, weight_decay=0.1, match_rms=True, nesterov=False)),
}

# The cases whose parameter is a matrix. In `small` it is 1 x 2 or 2 x 1.
SHAPES = {"adafactor": FACTORED, "adafactor-transformers": FACTORED, "muon": FACTORED, "muon-match-rms": TALL}

# The cases that also write the average of the parameters, as CASE.average.f64.
AVERAGES = [
    "asgd-average",
    "schedule-free-sgd",
    "schedule-free-sgd-weight-decay",
    "schedule-free-adamw",
    "schedule-free-adamw-warm-up",
]

SEQUENCES = [
    "sgdw",
    "signum",
    "qhadam",
    "adabelief",
    "yogi",
    "adopt",
    "laprop",
    "ademamix-warm-up",
    "adan",
    "schedule-free-adamw",
    "lamb",
    "novograd",
    "adamw-cautious",
]
