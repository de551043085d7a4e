// The limit to hold a step against: moves the bytes of an AdamW step (reads four streams, writes three) and computes
// nothing but the one operation a stream that keeps its loads from being dropped.
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace {

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
void
move(float *__restrict__ w, const float *__restrict__ g, float *__restrict__ m, float *__restrict__ v, long long begin,
     long long end) {
  for (long long i = begin; i < end; i++) {
    w[i] = -w[i];
    m[i] = m[i] + g[i];
    v[i] = -v[i];
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void panoptim_traffic(float *w, const float *g, float *m, float *v,
                                                                        long long length, int threads) {
#if defined(_OPENMP)
  if (threads > 1) {
#pragma omp parallel num_threads(threads)
    {
      const long long shares = omp_get_num_threads();
      const long long share = omp_get_thread_num();
      move(w, g, m, v, length * share / shares, length * (share + 1) / shares);
    }
    return;
  }
#endif
  static_cast<void>(threads);
  move(w, g, m, v, 0, length);
}
