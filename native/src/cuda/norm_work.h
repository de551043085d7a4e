// The sums of squares in their canonical order, and the norm decision.
#ifndef PANOPTIM_CUDA_NORM_WORK_H
#define PANOPTIM_CUDA_NORM_WORK_H

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"

// Writes the sum of each chunk. A thread sums one lane of one chunk, so neighbouring threads read neighbouring
// elements.
struct chunk_sums_work {
  static constexpr int threads = 256;
  static constexpr int blocks = 4;
  static constexpr int chunks_of_block = threads / PANOPTIM_LANES;

  struct shared {
    double sums[threads];
  };

  const panoptim_tensor *tensors;
  const int32_t *chunk_rows;
  panoptim_int64 chunks;
  double *square_sums;

  PANOPTIM_DEVICE int phases() const {
    return 2;
  }

  PANOPTIM_DEVICE void operator()(int phase, panoptim_int64 block, int thread, shared &all) const {
    const panoptim_int64 chunk = block * chunks_of_block + thread / PANOPTIM_LANES;
    const int lane = thread % PANOPTIM_LANES;
    if (chunk >= chunks) return;
    if (phase == 0) {
      all.sums[thread] = lane_sum(chunk_at(tensors, chunk_rows, chunk), lane);
    } else if (lane == 0) {
      square_sums[chunk] = added_in_halves(all.sums + thread);
    }
  }

 private:
  PANOPTIM_DEVICE double lane_sum(const range &r, int lane) const {
    const float *gradient = tensors[r.row].gradient + r.start;
    double sum = 0;
#if defined(__CUDACC__)
#pragma unroll 16
#endif
    for (panoptim_int64 i = lane; i < r.length; i += PANOPTIM_LANES) {
      // The square of a float is exact in double, so only the sum is rounded.
      const double g = gradient[i];
      sum += g * g;
    }
    return sum;
  }

  PANOPTIM_DEVICE static double added_in_halves(double *sums) {
    for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
    }
    return sums[0];
  }
};

// Adds the chunks' sums to the decision's squares, in order. The first thread of the only block adds some of them while
// the other threads copy the next ones to shared memory.
struct add_in_order_work {
  static constexpr int threads = 256;
  static constexpr int blocks = 1;
  static constexpr int batch = 1024;

  struct shared {
    double sums[2][batch];
  };

  const double *square_sums;
  panoptim_int64 chunks;
  panoptim_cuda_decision *decision;
  bool begins;

  PANOPTIM_DEVICE int phases() const {
    return static_cast<int>((chunks + batch - 1) / batch) + 1;
  }

  PANOPTIM_DEVICE void operator()(int phase, panoptim_int64, int thread, shared &all) const {
    if (thread == 0) {
      double sum = begins && phase == 0 ? 0 : decision->squares;
      for (int i = 0; i < length_of(phase - 1); i++) sum += all.sums[(phase - 1) % 2][i];
      decision->squares = sum;
    } else {
      const panoptim_int64 start = static_cast<panoptim_int64>(phase) * batch;
      for (int i = thread - 1; i < length_of(phase); i += threads - 1) all.sums[phase % 2][i] = square_sums[start + i];
    }
  }

 private:
  PANOPTIM_DEVICE int length_of(int number) const {
    const panoptim_int64 left = chunks - static_cast<panoptim_int64>(number) * batch;
    return number < 0 || left < 0 ? 0 : static_cast<int>(left < batch ? left : batch);
  }
};

// Computes the decision from the sum of all squares. One thread.
struct decide_work {
  static constexpr int threads = 1;
  static constexpr int blocks = 1;

  struct shared {};

  panoptim_cuda_decision *decision;
  double scale;
  double limit;
  bool skips;

  PANOPTIM_DEVICE int phases() const {
    return 1;
  }

  PANOPTIM_DEVICE void operator()(int, panoptim_int64, int, shared &) const {
    constexpr double infinity = __builtin_huge_val();
    const double squares = decision->squares;
    const double norm = sqrt(squares) * scale;
    const double factor = norm <= limit || limit == infinity ? 1 : limit / norm;
    decision->norm = norm;
    decision->clip_factor = factor;
    decision->scale = static_cast<float>(scale * factor);
    decision->skips = skips && !(squares < infinity);
  }
};

#endif
