// What a tier offers: for each composition, a loop over consecutive elements of one tensor.
#ifndef PANOPTIM_STEP_KERNEL_H
#define PANOPTIM_STEP_KERNEL_H

#include "panoptim.h"
#include "rule/composition.h"

// A chunk's streams start at the given addresses; the states are those the composition has, in order.
using kernel = void (*)(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter,
                        const float *gradient, float *const *state);

struct kernel_table {
  kernel at[compositions];  // NULL where a composition is illegal

  // Writes each gradient times the scale, kept from -bound to bound, to `clipped`; NaN stays NaN.
  void (*clip)(float scale, float bound, panoptim_int64 length, const float *gradient, float *clipped);

  // Adds the parameter's share to its average.
  void (*average)(float take, panoptim_int64 length, const float *parameter, float *average);

  // By PANOPTIM_HALF_PRECISION_...: the parameter in 16 bits. NULL stands where there is none.
  void (*half_precision[3])(panoptim_int64 length, const float *parameter, uint16_t *half_precision);

  // Adds up squares in the order that panoptim_sum_squares promises.
  double (*sum_squares)(panoptim_int64 length, const float *gradient);
};

#endif
