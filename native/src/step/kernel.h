// The kernels of a tier: for each composition, a loop over consecutive elements of one tensor.
#ifndef PANOPTIM_STEP_KERNEL_H
#define PANOPTIM_STEP_KERNEL_H

#include "factored/kernel.h"
#include "panoptim.h"
#include "rule/composition.h"
#include "vector/kernel.h"

// Updates `length` elements. `state` has the states of the composition, in order.
using kernel = void (*)(const panoptim_coefficients &coefficients, panoptim_int64 length, float *parameter,
                        const float *gradient, float *const *state);

// Adds the square of a number of rule::measured of element i to sum i modulo PANOPTIM_LANES.
using measure_kernel = void (*)(const panoptim_coefficients &coefficients, panoptim_int64 length,
                                const float *parameter, const float *gradient, float *const *state, double *sums,
                                double *parameters);

// The kernels of a measure by kernel_of: NULL where has_measure is false.
struct measure_kernels {
  measure_kernel alone[kernel_count];

  // These also add the squares of parameters. NULL where no factor depends on both.
  measure_kernel with_parameters[kernel_count];
};

struct kernel_table {
  kernel at[kernel_count];  // by kernel_of

  // The same without prefetches: what follows a row of a table is not used by its step. NULL where is_of_tables is
  // false.
  kernel of_rows[kernel_count];

  measure_kernels measure[PANOPTIM_MEASURES];  // by PANOPTIM_MEASURE_...

  // Writes each gradient times `scale`, clamped to [-bound, bound], to `clipped`; NaN stays NaN.
  void (*clip)(float scale, float bound, panoptim_int64 length, const float *gradient, float *clipped);

  // Moves each average towards its parameter: average + take * (parameter - average).
  void (*average)(float take, panoptim_int64 length, const float *parameter, float *average);

  // By PANOPTIM_HALF_PRECISION_...: writes the parameter in 16 bits. NULL for PANOPTIM_HALF_PRECISION_NONE.
  void (*half_precision[3])(panoptim_int64 length, const float *parameter, uint16_t *half_precision);

  // Adds the square of element i to sum i modulo PANOPTIM_LANES.
  void (*add_squares)(panoptim_int64 length, const float *numbers, double *sums);

  vector_kernels vectors;
  factored_kernels factored;
};

#endif
