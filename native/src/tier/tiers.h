// The tiers of this build, and which of them the processor can run.
#ifndef PANOPTIM_TIER_TIERS_H
#define PANOPTIM_TIER_TIERS_H

#include "step/kernel.h"

extern const kernel_table baseline_kernels;
extern const kernel_table avx2_kernels;
extern const kernel_table avx512_kernels;

// The kernels of a tier (PANOPTIM_TIER_...), or NULL where `why_no_tier` has a reason.
const kernel_table *kernels_of(int32_t tier);

// What this build or this processor lacks for the tier; NULL where nothing.
const char *why_no_tier(int32_t tier);

#endif
