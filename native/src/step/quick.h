// A fast path for small steps that need only the update.
#ifndef PANOPTIM_STEP_QUICK_H
#define PANOPTIM_STEP_QUICK_H

#include "step/kernel.h"

// Makes a step if the plan is valid and needs only the update, by one thread, of rows that are no longer than a chunk.
// Otherwise returns false without a change, and the caller must check the plan. To measure the time of such a step:
// -Pbench -Dbench.args="SmallStepBenchmark -p backend=native".
bool step_quickly(const panoptim_plan &plan, const kernel_table &kernels);

#endif
