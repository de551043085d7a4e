// Baseline tier: the instructions that every processor of the architecture has.
#include "step/loops.h"
#include "tier/tiers.h"

PANOPTIM_TIER_KERNELS(baseline_kernels);
