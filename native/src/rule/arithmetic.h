// The few operations that formulas are made of, each with one meaning on every processor.
#ifndef PANOPTIM_RULE_ARITHMETIC_H
#define PANOPTIM_RULE_ARITHMETIC_H

#if defined(__CUDACC__)
#define PANOPTIM_FORMULA static __host__ __device__ __forceinline__
#else
#define PANOPTIM_FORMULA static inline __attribute__((always_inline))
#endif

// Builtins, not <cmath>: an inline function of the standard library would be shared by tiers with different flags.
PANOPTIM_FORMULA float fused_multiply_add(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}

PANOPTIM_FORMULA float square_root(float x) {
  return __builtin_sqrtf(x);
}

// Which bits a NaN has depends on the processor and on the order in which a compiler puts two operands. What is
// stored is therefore always the same one, 0x7fc00000.
PANOPTIM_FORMULA float canonical(float x) {
  return x == x ? x : __builtin_nanf("");
}

// NaN wins, from either side.
PANOPTIM_FORMULA float maximum(float a, float b) {
  return a >= b || a != a ? a : b;
}

PANOPTIM_FORMULA float absolute(float x) {
  return __builtin_fabsf(x);
}

// 1 or -1; zeros and NaN stay what they are.
PANOPTIM_FORMULA float sign_of(float x) {
  return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
}

#endif
