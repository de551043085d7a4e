// What a tier offers: for each composition, a loop over consecutive elements of one tensor.
#ifndef PANOPTIM_STEP_KERNEL_H
#define PANOPTIM_STEP_KERNEL_H

#include "panoptim.h"
#include "rule/composition.h"

// A chunk's streams start at the given addresses; the states are those the composition has, in order.
using kernel = void (*)(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter,
                        const float *gradient, float *const *state);

// NULL stands where a composition is illegal.
struct kernel_table {
  kernel at[compositions];
};

#endif
