// The operations of the formulas. Each has the same result on every processor and GPU.
#ifndef PANOPTIM_RULE_ARITHMETIC_H
#define PANOPTIM_RULE_ARITHMETIC_H

#if defined(__CUDACC__)
#define PANOPTIM_FORMULA static __host__ __device__ __forceinline__
#else
#define PANOPTIM_FORMULA static inline __attribute__((always_inline))
#endif

// Builtins, not <cmath>: tiers with different flags would share an inline function of the standard library. On a GPU
// they have other names.
PANOPTIM_FORMULA float fused_multiply_add(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}

PANOPTIM_FORMULA float square_root(float x) {
#if defined(__CUDA_ARCH__)
  return __fsqrt_rn(x);
#else
  return __builtin_sqrtf(x);
#endif
}

PANOPTIM_FORMULA unsigned bits_of(float x) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(x);
#else
  unsigned bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
#endif
}

PANOPTIM_FORMULA float float_of(unsigned bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float x;
  __builtin_memcpy(&x, &bits, sizeof x);
  return x;
#endif
}

// The bits of a NaN depend on the processor, and on the order in which the compiler passes two operands. So every
// stored NaN becomes the same one, 0x7fc00000.
PANOPTIM_FORMULA float canonical(float x) {
  return x == x ? x : float_of(0x7fc00000u);
}

// NaN if either operand is NaN.
PANOPTIM_FORMULA float maximum(float a, float b) {
  return a >= b || a != a ? a : b;
}

PANOPTIM_FORMULA float absolute(float x) {
  return float_of(bits_of(x) & 0x7fffffffu);
}

// x, or 0 if it is not kept. Without a branch: compilers make one of a conditional expression that follows another, and
// then do not vectorise the loop.
PANOPTIM_FORMULA float kept_if(bool keeps, float x) {
  return float_of(bits_of(x) & (0u - static_cast<unsigned>(keeps)));
}

// 1 or -1; zeros and NaN are returned unchanged.
PANOPTIM_FORMULA float sign_of(float x) {
  return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
}

// To 16 bits: to nearest, ties to even; every NaN becomes the same one.
PANOPTIM_FORMULA unsigned short bfloat16(float x) {
  const unsigned bits = bits_of(x);
  const unsigned rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  return static_cast<unsigned short>(x == x ? rounded >> 16 : 0x7fc0u);
}

PANOPTIM_FORMULA unsigned short float16(float x) {
  const unsigned sign = bits_of(x) & 0x80000000u;
  const unsigned size = bits_of(x) ^ sign;
  // Normal: the exponent's bias changes from 127 to 15. Sizes above the range become infinity.
  const unsigned most = size < 0x47800000u ? size : 0x47800000u;
  const unsigned normal = (most - 0x38000000u + 0xfffu + (most >> 13 & 1u)) >> 13;
  // Denormal: after the addition of one half, the float's last bit is the result's last bit. The addition rounds.
  const unsigned denormal = bits_of(float_of(size) + 0.5f) - 0x3f000000u;
  const unsigned finite = size < 0x38800000u ? denormal : normal;
  return static_cast<unsigned short>(x == x ? finite | sign >> 16 : 0x7e00u);
}

#endif
