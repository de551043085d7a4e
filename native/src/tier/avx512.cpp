// AVX-512 tier: AVX-512 F, VL, BW and DQ, 16 floats at a time.
#include "step/loops.h"
#include "tier/tiers.h"

PANOPTIM_TIER_KERNELS(avx512_kernels);
