// The kernels of a tier for factored second moments: loops over consecutive elements of one row, or of one chunk.
#ifndef PANOPTIM_FACTORED_KERNEL_H
#define PANOPTIM_FACTORED_KERNEL_H

#include "panoptim.h"

// PANOPTIM_FACTORED_... describes each kernel.
struct factored_kernels {
  // Returns the sum of the terms of a chunk.
  double (*sum)(float scale, double addend, panoptim_int64 length, const float *x);

  // Also adds each term to the sum of its column.
  double (*add)(float scale, double addend, panoptim_int64 length, const float *x, double *columns);

  // result = scale * x * factor
  void (*scale)(float scale, float factor, panoptim_int64 length, const float *x, float *result);

  // result = scale * x * min(row * columns[i], most)
  void (*scale_columns)(float scale, float row, const float *columns, float most, panoptim_int64 length, const float *x,
                        float *result);

  void (*vector)(const panoptim_factored &factored, panoptim_int64 length, const float *x, float *state, float *result);
};

#endif
