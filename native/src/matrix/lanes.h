// The floats of one register. The intrinsics are needed, because GCC has no fused multiply-add of vectors: its vector
// extension has no such operation, and its vectoriser leaves the accumulators of a tile in memory.
#ifndef PANOPTIM_MATRIX_LANES_H
#define PANOPTIM_MATRIX_LANES_H

#include "rule/arithmetic.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// Unnamed, so that tiers share no function.
namespace {

#if defined(__AVX512F__)

struct lanes {
  static constexpr int count = 16;
  __m512 values;
};

PANOPTIM_FORMULA lanes load_lanes(const float *from) {
  return {_mm512_loadu_ps(from)};
}

PANOPTIM_FORMULA void store_lanes(lanes x, float *to) {
  _mm512_storeu_ps(to, x.values);
}

PANOPTIM_FORMULA lanes all_lanes(float x) {
  return {_mm512_set1_ps(x)};
}

PANOPTIM_FORMULA lanes fused_multiply_add_lanes(lanes a, lanes b, lanes c) {
  return {_mm512_fmadd_ps(a.values, b.values, c.values)};
}

#elif defined(__AVX2__)

struct lanes {
  static constexpr int count = 8;
  __m256 values;
};

PANOPTIM_FORMULA lanes load_lanes(const float *from) {
  return {_mm256_loadu_ps(from)};
}

PANOPTIM_FORMULA void store_lanes(lanes x, float *to) {
  _mm256_storeu_ps(to, x.values);
}

PANOPTIM_FORMULA lanes all_lanes(float x) {
  return {_mm256_set1_ps(x)};
}

PANOPTIM_FORMULA lanes fused_multiply_add_lanes(lanes a, lanes b, lanes c) {
  return {_mm256_fmadd_ps(a.values, b.values, c.values)};
}

#else

struct lanes {
  static constexpr int count = 4;
  float values[count];
};

PANOPTIM_FORMULA lanes load_lanes(const float *from) {
  lanes x;
  __builtin_memcpy(x.values, from, sizeof x.values);
  return x;
}

PANOPTIM_FORMULA void store_lanes(lanes x, float *to) {
  __builtin_memcpy(to, x.values, sizeof x.values);
}

PANOPTIM_FORMULA lanes all_lanes(float x) {
  return {{x, x, x, x}};
}

PANOPTIM_FORMULA lanes fused_multiply_add_lanes(lanes a, lanes b, lanes c) {
  for (int i = 0; i < lanes::count; i++) c.values[i] = fused_multiply_add(a.values[i], b.values[i], c.values[i]);
  return c;
}

#endif

}  // namespace

#endif
