// AVX2 tier: AVX2 and FMA, 8 floats at a time.
#include "step/loops.h"
#include "tier/tiers.h"

PANOPTIM_TIER_KERNELS(avx2_kernels);
