// Copies coefficients to a device as arguments of a launch, without a copy from host memory.
#ifndef PANOPTIM_CUDA_COEFFICIENTS_WORK_H
#define PANOPTIM_CUDA_COEFFICIENTS_WORK_H

#include "cuda/launch.h"
#include "panoptim.h"

struct coefficients_work {
  // The arguments of a launch have at most 4 KiB.
  static constexpr int most = 32;
  static constexpr int threads = most;
  static constexpr int blocks = 1;

  struct shared {};

  panoptim_coefficients *to;
  int count;
  panoptim_coefficients from[most];

  PANOPTIM_DEVICE int phases() const {
    return 1;
  }

  PANOPTIM_DEVICE void operator()(int, panoptim_int64, int thread, shared &) const {
    if (thread < count) to[thread] = from[thread];
  }
};

static_assert(sizeof(coefficients_work) <= 4096, "more than the arguments of a launch");

#endif
