// The step: a kernel over all chunks of a plan.
#ifndef PANOPTIM_STEP_STEP_H
#define PANOPTIM_STEP_STEP_H

#include "step/kernel.h"

// The plan must have been checked.
void run_step(panoptim_plan &plan, kernel update);

// Takes part in a step that another thread makes with this plan, if there is one; only then is the kernel asked for.
void help_step(panoptim_plan &plan, kernel (*kernel_of)(const panoptim_plan &plan));

#endif
