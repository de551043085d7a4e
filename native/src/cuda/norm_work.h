// The sums of squares in their canonical order, and the norm decision.
#ifndef PANOPTIM_CUDA_NORM_WORK_H
#define PANOPTIM_CUDA_NORM_WORK_H

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"

// Sums the squares of chunks `first` to `end`, a block for each. Meanwhile the first block of the launch adds the sums
// of chunks `added` to `first`, which the launch before has written, to the decision's squares.
//
// Both sums have an order, so they take the time of as many dependent additions: 1024 for a chunk, whose 16 lanes are
// summed at once, and one for each chunk at the end. That is why chunks are loaded to shared memory by more threads than
// can add, and why the addition over the chunks is hidden behind the next sums.
struct square_sums_work {
  static constexpr int threads = 256;
  static constexpr int blocks = 4;
  static constexpr int each = 16;                // loads of a thread at a time
  static constexpr int part = threads * each;    // elements of a chunk that are loaded at a time
  static constexpr int batch = 1024;             // sums that are loaded at a time

  struct shared {
    union {
      float parts[2][part];
      double sums[2][batch];
    };
    double lanes[PANOPTIM_LANES];
  };

  const panoptim_tensor *tensors;
  const int32_t *chunk_rows;
  double *square_sums;
  panoptim_cuda_decision *decision;
  panoptim_int64 added;
  panoptim_int64 first;
  panoptim_int64 end;
  bool begins;  // the decision's squares start at 0

  // The chunks of the next launch, of those left. To add a chunk's sum takes less than a quarter of the time in which a
  // GPU sums it, so the addition is hidden behind a launch of a quarter of the size. What is left after the last launch
  // is a few microseconds' worth.
  static panoptim_int64 chunks_of_launch(panoptim_int64 left) {
    return left <= 2 * batch ? left : left / 4 * 3;
  }

  PANOPTIM_DEVICE int phases(panoptim_int64 block) const {
    if (block == 0) return rounds(first - added, batch) + 1;
    return rounds(chunk_at(tensors, chunk_rows, chunk_of(block)).length, part) + 2;
  }

  PANOPTIM_DEVICE void operator()(int phase, panoptim_int64 block, int thread, shared &all) const {
    if (block == 0) {
      add_in_order(phase, thread, all);
    } else {
      sum_chunk(phase, chunk_of(block), thread, all);
    }
  }

 private:
  PANOPTIM_DEVICE static int rounds(panoptim_int64 count, int most) {
    return static_cast<int>((count + most - 1) / most);
  }

  PANOPTIM_DEVICE panoptim_int64 chunk_of(panoptim_int64 block) const {
    return first + block - 1;
  }

  // In a phase, all threads load a part, and the first ones add the part before.
  PANOPTIM_DEVICE void sum_chunk(int phase, panoptim_int64 chunk, int thread, shared &all) const {
    const range r = chunk_at(tensors, chunk_rows, chunk);
    const int parts = rounds(r.length, part);
    if (phase > parts) {
      if (thread == 0) square_sums[chunk] = added_in_halves(all.lanes);
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

  PANOPTIM_DEVICE static double added_in_halves(double *sums) {
    for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
    }
    return sums[0];
  }

  // In a phase, the first thread adds a batch of sums, and the others load the next one.
  PANOPTIM_DEVICE void add_in_order(int phase, int thread, shared &all) const {
    if (thread == 0) {
      double sum = begins && phase == 0 ? 0 : decision->squares;
      for (int i = 0; i < length_of(phase - 1); i++) sum += all.sums[(phase - 1) % 2][i];
      decision->squares = sum;
    } else {
      const double *from = square_sums + added + static_cast<panoptim_int64>(phase) * batch;
      for (int i = thread - 1; i < length_of(phase); i += threads - 1) all.sums[phase % 2][i] = from[i];
    }
  }

  PANOPTIM_DEVICE int length_of(int number) const {
    const panoptim_int64 left = first - added - static_cast<panoptim_int64>(number) * batch;
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
  }
};

#endif
