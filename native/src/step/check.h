// What is checked of a plan before anything is written, wherever it is carried out.
#ifndef PANOPTIM_STEP_CHECK_H
#define PANOPTIM_STEP_CHECK_H

#include "panoptim.h"

// Writes the plan's error text, and returns the status.
__attribute__((format(printf, 3, 4))) int32_t fail(panoptim_plan *plan, int32_t status, const char *format, ...);

// The composition, the options and the rows.
int32_t check_work(panoptim_plan *plan);

// What summing squares needs beside that.
int32_t check_sums(panoptim_plan *plan);

#endif
