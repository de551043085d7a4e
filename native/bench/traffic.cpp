// The limit for the speed of a step: moves the bytes of a step (reads the gradient, reads and writes the parameters and
// up to four states). It computes one operation for each stream, so that the compiler keeps the loads. Two calls
// restore all values, except for the rounding of the parameters.
#include "shares.h"

namespace {

struct Streams {
  float *w;
  const float *g;
  float *states[4];
};

template <int States>
#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
void
move(const Streams &streams, long long begin, long long end) {
  float *__restrict__ w = streams.w;
  const float *__restrict__ g = streams.g;
  float *__restrict__ a = streams.states[0];
  float *__restrict__ b = streams.states[1];
  float *__restrict__ c = streams.states[2];
  float *__restrict__ d = streams.states[3];
  for (long long i = begin; i < end; i++) {
    w[i] = g[i] - w[i];
    if constexpr (States > 0) {
      a[i] = -a[i];
    }
    if constexpr (States > 1) {
      b[i] = -b[i];
    }
    if constexpr (States > 2) {
      c[i] = -c[i];
    }
    if constexpr (States > 3) {
      d[i] = -d[i];
    }
  }
}

void move_all(const Streams &streams, long long begin, long long end) {
  if (streams.states[0] == nullptr) {
    move<0>(streams, begin, end);
  } else if (streams.states[1] == nullptr) {
    move<1>(streams, begin, end);
  } else if (streams.states[2] == nullptr) {
    move<2>(streams, begin, end);
  } else if (streams.states[3] == nullptr) {
    move<3>(streams, begin, end);
  } else {
    move<4>(streams, begin, end);
  }
}

}  // namespace

// Unused states are null pointers, after the used ones.
extern "C" __attribute__((visibility("default"))) void panoptim_traffic(float *w, const float *g, float *a, float *b,
                                                                        float *c, float *d, long long length,
                                                                        int threads) {
  const Streams streams = {w, g, {a, b, c, d}};
  in_shares(length, threads, [=](int, long long begin, long long end) { move_all(streams, begin, end); });
}

namespace {

#if defined(__x86_64__)
__attribute__((target_clones("avx2", "default")))
#endif
unsigned
read(const unsigned *x, const unsigned *y, long long begin, long long end) {
  unsigned bits = 0;
  for (long long i = begin; i < end; i++) bits ^= x[i] ^ y[i];
  return bits;
}

}  // namespace

// The limit for the speed of a dot product: reads two vectors of 32-bit elements. Returns the exclusive or of all
// elements, so that the compiler keeps the loads.
extern "C" __attribute__((visibility("default"))) unsigned panoptim_traffic_read(const unsigned *x, const unsigned *y,
                                                                                 long long length, int threads) {
  std::vector<unsigned> bits(static_cast<size_t>(threads));
  unsigned *each = bits.data();
  in_shares(length, threads, [=](int share, long long begin, long long end) { each[share] = read(x, y, begin, end); });
  unsigned all = 0;
  for (unsigned one : bits) all ^= one;
  return all;
}
