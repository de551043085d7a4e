// The limit for the speed of a matrix product: fused multiply-adds in registers, as many as the product has, without
// any access to memory. Each thread has enough independent chains to hide the latency of an operation.
#include "shares.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if defined(__clang__)
#define PANOPTIM_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define PANOPTIM_UNROLLED _Pragma("GCC unroll 32")
#endif

namespace {

constexpr int chains = 12;

#if defined(__x86_64__)

__attribute__((target("avx512f"))) void multiply_512(long long count) {
  __m512 sums[chains];
  const __m512 factor = _mm512_set1_ps(0.5f);
  PANOPTIM_UNROLLED
  for (int j = 0; j < chains; j++) sums[j] = factor;
  for (long long i = 0; i < count; i += chains * 16) {
    PANOPTIM_UNROLLED
    for (int j = 0; j < chains; j++) sums[j] = _mm512_fmadd_ps(factor, factor, sums[j]);
  }
  PANOPTIM_UNROLLED
  for (int j = 0; j < chains; j++) __asm__ volatile("" : : "v"(sums[j]));
}

__attribute__((target("avx2,fma"))) void multiply_256(long long count) {
  __m256 sums[chains];
  const __m256 factor = _mm256_set1_ps(0.5f);
  PANOPTIM_UNROLLED
  for (int j = 0; j < chains; j++) sums[j] = factor;
  for (long long i = 0; i < count; i += chains * 8) {
    PANOPTIM_UNROLLED
    for (int j = 0; j < chains; j++) sums[j] = _mm256_fmadd_ps(factor, factor, sums[j]);
  }
  PANOPTIM_UNROLLED
  for (int j = 0; j < chains; j++) __asm__ volatile("" : : "x"(sums[j]));
}

#endif

void multiply_each(long long count) {
  float sums[chains];
  for (float &sum : sums) sum = 1;
  for (long long i = 0; i < count; i += chains) {
    for (float &sum : sums) sum = __builtin_fmaf(sum, 0.5f, 0.5f);
    __asm__ volatile("" : : "r"(sums) : "memory");
  }
}

void multiply(long long count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return multiply_512(count);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return multiply_256(count);
#endif
  multiply_each(count);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void panoptim_peak(long long multiply_adds, int threads) {
  in_shares(multiply_adds, threads, [](int, long long begin, long long end) { multiply(end - begin); });
}
