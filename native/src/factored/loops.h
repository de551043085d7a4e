// The loops of factored second moments, compiled for the instruction set of the including file.
#ifndef PANOPTIM_FACTORED_LOOPS_H
#define PANOPTIM_FACTORED_LOOPS_H

#include "factored/kernel.h"
#include "rule/arithmetic.h"
#include "step/vector_loop.h"
#include "vector/loops.h"

// Unnamed, so that tiers share no function: the linker could keep the AVX-512 version for all tiers.
namespace {

// The term that is summed. The square of a float is exact in double.
__attribute__((always_inline)) inline double factored_term(float scale, double addend, float x) {
  const double scaled = static_cast<double>(scale * x);
  return scaled * scaled + addend;
}

double factored_sum_loop(float scale, double addend, panoptim_int64 length, const float *x) {
  return sum_in_lanes(length, [=](panoptim_int64 i) { return factored_term(scale, addend, x[i]); });
}

double factored_add_loop(float scale, double addend, panoptim_int64 length, const float *x,
                         double *__restrict columns) {
  double sums[PANOPTIM_LANES] = {};
  panoptim_int64 i = 0;
  for (; i + PANOPTIM_LANES <= length; i += PANOPTIM_LANES) {
    for (int lane = 0; lane < PANOPTIM_LANES; lane++) {
      const double term = factored_term(scale, addend, x[i + lane]);
      sums[lane] += term;
      columns[i + lane] += term;
    }
  }
  for (int lane = 0; i + lane < length; lane++) {
    const double term = factored_term(scale, addend, x[i + lane]);
    sums[lane] += term;
    columns[i + lane] += term;
  }
  return sum_of_lanes(sums);
}

void factored_scale_loop(float scale, float factor, panoptim_int64 length, const float *x, float *result) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) result[i] = canonical(scale * x[i] * factor);
}

void factored_scale_columns_loop(float scale, float row, const float *columns, float most, panoptim_int64 length,
                                 const float *x, float *result) {
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) {
    const float factor = row * columns[i];
    result[i] = canonical(scale * x[i] * (factor > most ? most : factor));
  }
}

void factored_vector_loop(const panoptim_factored &factored, panoptim_int64 length, const float *x, float *state,
                          float *result) {
  const float scale = factored.scale;
  const float addend = static_cast<float>(factored.addend);
  const float take = factored.take;
  const float least = factored.least;
  PANOPTIM_VECTOR_LOOP
  for (panoptim_int64 i = 0; i < length; i++) {
    const float scaled = scale * x[i];
    const float square = fused_multiply_add(scaled, scaled, addend);
    const float moment = canonical(fused_multiply_add(take, square - state[i], state[i]));
    state[i] = moment;
    result[i] = canonical(scaled / square_root(maximum(moment, least)));
  }
}

constexpr factored_kernels factored_loops = {factored_sum_loop, factored_add_loop, factored_scale_loop,
                                             factored_scale_columns_loop, factored_vector_loop};

}  // namespace

#endif
