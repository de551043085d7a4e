// The check of a plan before any byte changes, for all functions of the C ABI.
#ifndef PANOPTIM_CALL_H
#define PANOPTIM_CALL_H

#include "panoptim.h"
#include "step/check.h"
#include "step/step.h"
#include "tier/tiers.h"

inline int32_t check_call(panoptim_plan *plan, work work) {
  if (!kernels_of(plan->tier)) {
    return fail(plan, PANOPTIM_UNSUPPORTED_TIER, "tier %d: %s", plan->tier, why_no_tier(plan->tier));
  }
  if (plan->sharing != PANOPTIM_CLOSED && (plan->sharing != PANOPTIM_ANNOUNCED || plan->share < 1)) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT,
                "sharing is %d in shares of %lld, not %d, or %d in shares of 1 or more", plan->sharing, plan->share,
                PANOPTIM_CLOSED, PANOPTIM_ANNOUNCED);
  }
  if (const int32_t status = check_work(plan)) return status;
  switch (work) {
    case work_sum_squares: return check_sums(plan);
    case work_measure: return check_measures(plan);
    default: return PANOPTIM_OK;
  }
}

#endif
