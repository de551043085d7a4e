// The work before and after an update as separate passes over all elements, for comparison with a fused step. The
// compiler vectorises these plain loops like the library's.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "shares.h"

#define PASS extern "C" __attribute__((visibility("default")))

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONES
#endif

namespace {

CLONES void scale(float *g, float factor, long long begin, long long end) {
  for (long long i = begin; i < end; i++) g[i] *= factor;
}

CLONES double squares(const float *g, long long begin, long long end) {
  constexpr int lanes = 16;
  double sums[lanes] = {};
  long long i = begin;
  for (; i + lanes <= end; i += lanes) {
    for (int k = 0; k < lanes; k++) {
      const double x = g[i + k];
      sums[k] += x * x;
    }
  }
  double sum = 0;
  for (; i < end; i++) sum += static_cast<double>(g[i]) * g[i];
  for (double each : sums) sum += each;
  return sum;
}

CLONES void average(const float *w, float *a, float take, long long begin, long long end) {
  for (long long i = begin; i < end; i++) a[i] += take * (w[i] - a[i]);
}

CLONES void bfloat16(const float *w, uint16_t *half_precision, long long begin, long long end) {
  for (long long i = begin; i < end; i++) {
    uint32_t bits;
    std::memcpy(&bits, &w[i], sizeof bits);
    half_precision[i] = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

}  // namespace

PASS void panoptim_pass_scale(float *g, float factor, long long length, int threads) {
  in_shares(length, threads, [=](int, long long begin, long long end) { scale(g, factor, begin, end); });
}

PASS double panoptim_pass_norm(const float *g, long long length, int threads) {
  std::vector<double> sums(static_cast<size_t>(threads));
  double *each = sums.data();
  in_shares(length, threads, [=](int share, long long begin, long long end) { each[share] = squares(g, begin, end); });
  double sum = 0;
  for (double one : sums) sum += one;
  return std::sqrt(sum);
}

PASS void panoptim_pass_average(const float *w, float *a, float take, long long length, int threads) {
  in_shares(length, threads, [=](int, long long begin, long long end) { average(w, a, take, begin, end); });
}

PASS void panoptim_pass_bfloat16(const float *w, uint16_t *half_precision, long long length, int threads) {
  in_shares(length, threads, [=](int, long long begin, long long end) { bfloat16(w, half_precision, begin, end); });
}

PASS void panoptim_pass_zero(float *g, long long length, int threads) {
  in_shares(length, threads, [=](int, long long begin, long long end) {
    std::memset(g + begin, 0, static_cast<size_t>(end - begin) * sizeof *g);
  });
}
