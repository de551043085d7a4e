// The sums of squares in their canonical order, and the norm decision.
#ifndef PANOPTIM_CUDA_NORM_WORK_H
#define PANOPTIM_CUDA_NORM_WORK_H

#include <string.h>

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"
#include "rule/sum_of_lanes.h"

// Sums the squares of all chunks, one block for each chunk. At the same time, block 0 adds the chunks' sums to the
// decision's squares, in batches, as soon as they are written.
//
// Both sums have an order, so they take the time of as many dependent additions: 1024 for a chunk, whose 16
// lanes are summed at once, and one for each chunk. That is why more threads load a chunk than add it, and why the
// addition of the chunks' sums does not begin after the last of them.
struct square_sums_work {
  static constexpr int threads = 128;
  static constexpr int blocks = 8;
  static constexpr int each = 16;              // loads of a thread at a time
  static constexpr int part = threads * each;  // elements of a chunk that are loaded at a time
  static constexpr int batch = 256;            // chunks' sums that are loaded at a time
  static constexpr int warp = 32;

  // The bytes of a sum that has not been written. No sum has this value.
  static constexpr int pending = 0xff;

  struct shared {
    union {
      float parts[2][part];
      double sums[2][batch];
    };
    double lanes[PANOPTIM_LANES];
    double total;
  };

  const panoptim_tensor *tensors;
  const int32_t *chunk_rows;
  panoptim_int64 chunks;
  double *square_sums;  // one for each chunk; all bytes are `pending`
  panoptim_cuda_decision *decision;
  bool begins;            // the decision's squares start at 0
  panoptim_int64 before;  // blocks that are in another launch

  // Enqueues the work. Block 0 waits for the others, which need room on the device meanwhile. Each work that is under
  // way has one block that waits, and no device runs more than 128 kernels at once. Where there may be no room, the
  // sums are added after the last of them.
  cudaError_t enqueue(cudaStream_t stream, int blocks_at_once) {
    constexpr int most_kernels = 128;
    const panoptim_int64 blocks = 1 + chunks;
    before = 0;
    if (blocks_at_once > most_kernels) return launch(stream, blocks, *this);
    before = 1;
    const cudaError_t said = launch(stream, blocks - 1, *this);
    before = 0;
    return said == cudaSuccess ? launch(stream, 1, *this) : said;
  }

  PANOPTIM_DEVICE int phases(panoptim_int64 block) const {
    const panoptim_int64 number = before + block;
    return number == 0 ? rounds(chunks, batch) + 1 : rounds(chunk_at(tensors, chunk_rows, number - 1).length, part) + 2;
  }

  PANOPTIM_DEVICE void operator()(int phase, panoptim_int64 block, int thread, shared &all) const {
    const panoptim_int64 number = before + block;
    if (number == 0) {
      add_in_order(phase, thread, all);
    } else {
      sum_chunk(phase, number - 1, thread, all);
    }
  }

 private:
  PANOPTIM_DEVICE static int rounds(panoptim_int64 count, int most) {
    return static_cast<int>((count + most - 1) / most);
  }

  // In a phase, all threads load a part, and the first ones add the part before.
  PANOPTIM_DEVICE void sum_chunk(int phase, panoptim_int64 chunk, int thread, shared &all) const {
    const range r = chunk_at(tensors, chunk_rows, chunk);
    const int parts = rounds(r.length, part);
    if (phase > parts) {
      if (thread == 0) {
        const double sum = sum_of_lanes(all.lanes);
        static_cast<volatile double *>(square_sums)[chunk] = sum == sum ? sum : __builtin_nan("");
      }
      return;
    }
    const float *gradient = global(tensors[r.row].gradient + r.start);
    const panoptim_int64 start = static_cast<panoptim_int64>(phase) * part + thread;
    float loaded[each];
    for (int i = 0; i < each; i++) {
      loaded[i] = start + i * threads < r.length ? gradient[start + i * threads] : 0;
    }
    if (thread < PANOPTIM_LANES) add_part(phase - 1, r.length, thread, all);
    for (int i = 0; i < each; i++) all.parts[phase % 2][thread + i * threads] = loaded[i];
  }

  PANOPTIM_DEVICE static void add_part(int number, panoptim_int64 length, int lane, shared &all) {
    if (number < 0) {
      all.lanes[lane] = 0;
      return;
    }
    const panoptim_int64 left = length - static_cast<panoptim_int64>(number) * part;
    const int count = static_cast<int>(left < part ? left : part);
    double sum = all.lanes[lane];
#if defined(__CUDACC__)
#pragma unroll 16
#endif
    for (int i = lane; i < count; i += PANOPTIM_LANES) {
      // The square of a float is exact in double, so only the sum is rounded.
      const double g = all.parts[number % 2][i];
      sum += g * g;
    }
    all.lanes[lane] = sum;
  }

  // In a phase, the first thread adds a batch of sums, and the other warps load the next one.
  PANOPTIM_DEVICE void add_in_order(int phase, int thread, shared &all) const {
    if (thread == 0) {
      double sum = phase > 0 ? all.total : begins ? 0 : decision->squares;
      const int count = length_of(phase - 1);
#if defined(__CUDACC__)
#pragma unroll 16
#endif
      for (int i = 0; i < count; i++) sum += all.sums[(phase - 1) % 2][i];
      all.total = sum;
      if (phase == rounds(chunks, batch)) decision->squares = sum;
    } else if (thread >= warp) {
      const panoptim_int64 start = static_cast<panoptim_int64>(phase) * batch;
      for (int i = thread - warp; i < length_of(phase); i += threads - warp)
        all.sums[phase % 2][i] = awaited(start + i);
    }
  }

  PANOPTIM_DEVICE int length_of(int number) const {
    const panoptim_int64 left = chunks - static_cast<panoptim_int64>(number) * batch;
    return number < 0 || left < 0 ? 0 : static_cast<int>(left < batch ? left : batch);
  }

  // Waits for another block's sum. Only the sum itself is read, so no other memory must be ordered with it.
  PANOPTIM_DEVICE double awaited(panoptim_int64 chunk) const {
    for (;;) {
      const double sum = static_cast<const volatile double *>(square_sums)[chunk];
      if (!is_pending(sum)) return sum;
#if defined(__CUDA_ARCH__)
      __nanosleep(100);
#endif
    }
  }

  PANOPTIM_DEVICE static bool is_pending(double sum) {
    unsigned long long bits;
    memcpy(&bits, &sum, sizeof bits);
    return bits == ~0ULL;
  }
};

// Computes the decision from the sum of all squares. One thread.
struct decide_work {
  static constexpr int threads = 1;
  static constexpr int blocks = 1;

  struct shared {};

  panoptim_cuda_decision *decision;
  panoptim_cuda_decision *copy;  // in host memory that the device can access
  double scale;
  double limit;
  bool skips;

  PANOPTIM_DEVICE int phases(panoptim_int64) const {
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
    *copy = *decision;
  }
};

#endif
