// The checks of a plan before anything is written, for processors and GPUs.
#ifndef PANOPTIM_STEP_CHECK_H
#define PANOPTIM_STEP_CHECK_H

#include "panoptim.h"

// Checks the composition, the options and the rows.
int32_t check_work(panoptim_plan *plan);

// Checks what sums of squares need in addition.
int32_t check_sums(panoptim_plan *plan);

// Checks what measures need in addition.
int32_t check_measures(panoptim_plan *plan);

#endif
