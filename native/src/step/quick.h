// A step that needs no more than the update: the path of small steps.
#ifndef PANOPTIM_STEP_QUICK_H
#define PANOPTIM_STEP_QUICK_H

#include "step/kernel.h"

// Makes a step if the plan asks for the update alone, by one thread, of rows that are no longer than a chunk, and is
// certainly good. Otherwise nothing has changed, and the caller's own checks say what is wrong, if anything is. The
// time of such a step: -Pbench -Dbench.args="SmallStepBenchmark -p backend=native".
bool step_quickly(const panoptim_plan &plan, const kernel_table &kernels);

#endif
