// The step: a kernel over all chunks of a plan.
#ifndef PANOPTIM_STEP_STEP_H
#define PANOPTIM_STEP_STEP_H

#include "step/kernel.h"

// The plan must have been checked.
void run_step(const panoptim_plan &plan, kernel update);

#endif
