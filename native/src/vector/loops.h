// The loops over vectors, compiled for the instruction set of the including file.
#ifndef PANOPTIM_VECTOR_LOOPS_H
#define PANOPTIM_VECTOR_LOOPS_H

#include "rule/arithmetic.h"
#include "rule/sum_of_lanes.h"
#include "step/vector_loop.h"
#include "vector/kernel.h"

// Unnamed, so that tiers share no function: the linker could keep the AVX-512 version for all tiers.
namespace {

// The sum of term(i) of all elements, in the order of panoptim_sum_squares.
template <class Term>
__attribute__((always_inline)) inline double sum_in_lanes(panoptim_int64 length, Term term) {
  double sums[PANOPTIM_LANES] = {};
  panoptim_int64 i = 0;
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    for (int lane = 0; lane < PANOPTIM_LANES; lane++) sums[lane] += term(i + lane);
  }
  for (int lane = 0; i + lane < length; lane++) sums[lane] += term(i + lane);
  return sum_of_lanes(sums);
}

double dot_loop(panoptim_int64 length, const float *x, const float *y) {
  return sum_in_lanes(length, [=](panoptim_int64 i) { return static_cast<double>(x[i]) * static_cast<double>(y[i]); });
}

double sum_absolute_loop(panoptim_int64 length, const float *x) {
  return sum_in_lanes(length, [=](panoptim_int64 i) { return static_cast<double>(absolute(x[i])); });
}

float largest_loop(panoptim_int64 length, const float *x) {
  float largest[PANOPTIM_LANES] = {};
  panoptim_int64 i = 0;
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    for (int lane = 0; lane < PANOPTIM_LANES; lane++) largest[lane] = maximum(largest[lane], absolute(x[i + lane]));
  }
  for (; i < length; i++) largest[0] = maximum(largest[0], absolute(x[i]));
  for (int lane = 1; lane < PANOPTIM_LANES; lane++) largest[0] = maximum(largest[0], largest[lane]);
  return canonical(largest[0]);
}

void add_loop(float factor, panoptim_int64 length, const float *x, const float *y, float *result) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) result[i] = canonical(fused_multiply_add(factor, x[i], y[i]));
}

void scale_loop(float factor, panoptim_int64 length, const float *x, float *result) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) result[i] = canonical(factor * x[i]);
}

// Sums `Count` elements of each row of a list, which stay in registers.
template <int Count>
__attribute__((always_inline)) inline void sum_block(const float *rows, panoptim_int64 width, const int32_t *next,
                                                     int32_t first, float *result) {
  float sum[Count];
  for (int i = 0; i < Count; i++) sum[i] = rows[first * width + i];
  for (int32_t more = next[first]; more >= 0; more = next[more]) {
    const float *row = rows + more * width;
    for (int i = 0; i < Count; i++) sum[i] = row[i] + sum[i];
  }
  for (int i = 0; i < Count; i++) result[i] = sum[i];
}

void sum_rows_loop(panoptim_int64 length, const float *rows, panoptim_int64 width, const int32_t *next, int32_t first,
                   float *sum) {
  constexpr int block = 64;
  panoptim_int64 i = 0;
  for (; i + block <= length; i += block) sum_block<block>(rows + i, width, next, first, sum + i);
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    sum_block<PANOPTIM_LANES>(rows + i, width, next, first, sum + i);
  }
  for (; i < length; i++) sum_block<1>(rows + i, width, next, first, sum + i);
}

constexpr vector_kernels vector_loops = {dot_loop, sum_absolute_loop, largest_loop,
                                         add_loop, scale_loop,        sum_rows_loop};

}  // namespace

#endif
