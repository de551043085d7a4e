// Sets gradients to 0, also if the step is skipped.
#ifndef PANOPTIM_CUDA_ZERO_WORK_H
#define PANOPTIM_CUDA_ZERO_WORK_H

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"

struct zero_work {
  static constexpr int threads = 256;
  static constexpr int blocks = 4;

  struct shared {};

  const panoptim_tensor *tensors;
  const panoptim_cuda_tile *tiles;

  PANOPTIM_DEVICE int phases(panoptim_int64) const {
    return 1;
  }

  PANOPTIM_DEVICE void operator()(int, panoptim_int64 block, int thread, shared &) const {
    const range p = tile_at(tensors, tiles, block);
    float *gradient = tensors[p.row].gradient + p.start;
    for (panoptim_int64 i = thread; i < p.length; i += threads) gradient[i] = 0;
  }
};

#endif
