// The check of a plan before any byte changes, for all functions of the C ABI.
#ifndef PANOPTIM_CALL_H
#define PANOPTIM_CALL_H

#include "panoptim.h"
#include "step/check.h"
#include "step/sharing.h"
#include "step/step.h"
#include "tier/tiers.h"

inline int32_t check_call(panoptim_plan *plan, work work) {
  if (const int32_t status = check_tier(plan)) return status;
  if (const int32_t status = check_sharing(plan)) return status;
  if (const int32_t status = check_work(plan)) return status;
  switch (work) {
    case work_sum_squares: return check_sums(plan);
    case work_measure: return check_measures(plan);
    default: return PANOPTIM_OK;
  }
}

#endif
