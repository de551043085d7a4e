// The step and what may come before it: kernels over all chunks of a plan.
#ifndef PANOPTIM_STEP_STEP_H
#define PANOPTIM_STEP_STEP_H

#include "step/kernel.h"

// Each of them works for the whole of a call. The plan must have been checked.
void run_step(panoptim_plan &plan, const kernel_table &kernels);
void run_sum_squares(panoptim_plan &plan, const kernel_table &kernels);

// Takes part in such a call that another thread makes with this plan, if there is one; only then are the kernels asked
// for.
void help_call(panoptim_plan &plan, const kernel_table *(*kernels_of)(int32_t tier));

#endif
