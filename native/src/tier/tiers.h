// The tiers of this build, and which of them are available on this processor.
#ifndef PANOPTIM_TIER_TIERS_H
#define PANOPTIM_TIER_TIERS_H

#include "fail.h"
#include "step/kernel.h"

extern const kernel_table baseline_kernels;
extern const kernel_table avx2_kernels;
extern const kernel_table avx512_kernels;

// The kernels of a tier (PANOPTIM_TIER_...), or NULL if the tier is unavailable.
const kernel_table *kernels_of(int32_t tier);

// The reason why the tier is unavailable, or NULL.
const char *why_no_tier(int32_t tier);

// Checks that the call's tier is available.
template <class Call>
int32_t check_tier(Call *call) {
  if (kernels_of(call->tier)) return PANOPTIM_OK;
  return fail(call, PANOPTIM_UNSUPPORTED_TIER, "tier %d: %s", call->tier, why_no_tier(call->tier));
}

#endif
