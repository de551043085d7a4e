// The kernels of a tier for vectors: loops over the consecutive elements of one chunk.
#ifndef PANOPTIM_VECTOR_KERNEL_H
#define PANOPTIM_VECTOR_KERNEL_H

#include "panoptim.h"

// PANOPTIM_VECTOR_... describes each kernel.
struct vector_kernels {
  double (*dot)(panoptim_int64 length, const float *x, const float *y);
  double (*sum_absolute)(panoptim_int64 length, const float *x);
  float (*largest)(panoptim_int64 length, const float *x);
  void (*add)(float factor, panoptim_int64 length, const float *x, const float *y, float *result);
  void (*scale)(float factor, panoptim_int64 length, const float *x, float *result);

  // Of a list of rows of `width` elements, sums `length` elements, 1 or more, row by row; a NaN may have any bits. The
  // list begins with the row `first`, and next[i] follows row i; -1: none.
  void (*sum_rows)(panoptim_int64 length, const float *rows, panoptim_int64 width, const int32_t *next, int32_t first,
                   float *sum);
};

#endif
