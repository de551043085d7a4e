// The step, the sums of squares and the measures: kernels over all chunks of a plan.
#ifndef PANOPTIM_STEP_STEP_H
#define PANOPTIM_STEP_STEP_H

#include "step/kernel.h"

// The function of a call. The plan holds it for helpers.
enum work : int32_t { work_step, work_sum_squares, work_measure };

// Runs a whole call. The plan must be checked.
void run(panoptim_plan &plan, const kernel_table &kernels, work work);

// Joins the call of another thread that uses this plan, if there is one. `kernels_of` is called only in that case.
void help_call(panoptim_plan &plan, const kernel_table *(*kernels_of)(int32_t tier));

// A call by a team of threads: one thread begins it, then all threads join it, and one of them leads. The call is
// complete when all have returned. The plan must be checked, and its share must be 1 or more.
void begin_team_call(panoptim_plan &plan, work work);
void join_team_call(panoptim_plan &plan, const kernel_table &kernels, bool leads);

#endif
