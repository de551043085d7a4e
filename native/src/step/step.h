// The step and what may come before it: kernels over all chunks of a plan.
#ifndef PANOPTIM_STEP_STEP_H
#define PANOPTIM_STEP_STEP_H

#include "step/kernel.h"

// What a call does; kept in the plan for those that take part.
enum work : int32_t { work_step, work_sum_squares };

// Each of them works for the whole of a call. The plan must have been checked.
void run_step(panoptim_plan &plan, const kernel_table &kernels);
void run_sum_squares(panoptim_plan &plan, const kernel_table &kernels);

// Takes part in such a call that another thread makes with this plan, if there is one; only then are the kernels asked
// for.
void help_call(panoptim_plan &plan, const kernel_table *(*kernels_of)(int32_t tier));

// A call by a team of threads that somebody else keeps: one thread begins it, then all of them join it, one of which
// leads. It is complete when all have returned. The plan must have been checked, and its share must be 1 or more.
void begin_team_call(panoptim_plan &plan, work work);
void join_team_call(panoptim_plan &plan, const kernel_table &kernels, bool leads);

#endif
