// What a tier offers: for each composition, a loop over consecutive elements of one tensor.
#ifndef PANOPTIM_STEP_KERNEL_H
#define PANOPTIM_STEP_KERNEL_H

#include "panoptim.h"

// The streams of a chunk start at the given addresses; states that a composition lacks are NULL.
using kernel = void (*)(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter,
                        const float *gradient, float *state0, float *state1, float *state2);

constexpr int first_moments = 2;
constexpr int second_moments = 3;
constexpr int look_aheads = 2;
constexpr int decays = 3;
constexpr int compositions = first_moments * second_moments * look_aheads * decays;

// A composition's place in a tier's table.
constexpr int composition_index(int first_moment, int second_moment, int look_ahead, int decay) {
  return ((first_moment * second_moments + second_moment) * look_aheads + look_ahead) * decays + decay;
}

// NULL stands where a composition is illegal.
struct kernel_table {
  kernel at[compositions];
};

#endif
