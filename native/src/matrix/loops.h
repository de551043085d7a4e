// The loops of matrix products, compiled for the instruction set of the including file.
#ifndef PANOPTIM_MATRIX_LOOPS_H
#define PANOPTIM_MATRIX_LOOPS_H

#include "matrix/kernel.h"
#include "matrix/lanes.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

// Unnamed, so that tiers share no function: the linker could keep the AVX-512 version for all tiers.
namespace {

// The registers of a tile are elements of an array, which stay in registers only if each index is a constant.
#if defined(__clang__)
#define PANOPTIM_UNROLLED _Pragma("clang loop unroll(full)")
#else
#define PANOPTIM_UNROLLED _Pragma("GCC unroll 32")
#endif

// A tile has `Rows` rows of `Registers` registers.
template <int Rows, int Registers>
void multiply_tile(panoptim_int64 depth, const float *left, const float *right, float *tile, bool starts) {
  constexpr int columns = Registers * lanes::count;
  lanes sums[Rows][Registers];
  PANOPTIM_UNROLLED
  for (int i = 0; i < Rows; i++) {
    PANOPTIM_UNROLLED
    for (int j = 0; j < Registers; j++) {
      sums[i][j] = starts ? all_lanes(0) : load_lanes(tile + i * columns + j * lanes::count);
    }
  }
  for (panoptim_int64 k = 0; k < depth; k++) {
    lanes b[Registers];
    PANOPTIM_UNROLLED
    for (int j = 0; j < Registers; j++) b[j] = load_lanes(right + j * lanes::count);
    PANOPTIM_UNROLLED
    for (int i = 0; i < Rows; i++) {
      const lanes a = all_lanes(left[i]);
      PANOPTIM_UNROLLED
      for (int j = 0; j < Registers; j++) sums[i][j] = fused_multiply_add_lanes(a, b[j], sums[i][j]);
    }
    left += Rows;
    right += columns;
  }
  PANOPTIM_UNROLLED
  for (int i = 0; i < Rows; i++) {
    PANOPTIM_UNROLLED
    for (int j = 0; j < Registers; j++) store_lanes(sums[i][j], tile + i * columns + j * lanes::count);
  }
}

// Transposes the first multiple of four elements of four rows; returns their number.
template <int Width>
panoptim_int64 pack_four(panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to) {
  panoptim_int64 k = 0;
#if defined(__SSE2__)
  for (; k + 4 <= depth; k += 4) {
    __m128 a = _mm_loadu_ps(from + k);
    __m128 b = _mm_loadu_ps(from + stride + k);
    __m128 c = _mm_loadu_ps(from + 2 * stride + k);
    __m128 d = _mm_loadu_ps(from + 3 * stride + k);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to + k * Width, a);
    _mm_storeu_ps(to + (k + 1) * Width, b);
    _mm_storeu_ps(to + (k + 2) * Width, c);
    _mm_storeu_ps(to + (k + 3) * Width, d);
  }
#endif
  return k;
}

template <int Width>
void pack_transposed(int count, panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to) {
  static_assert(Width % 4 == 0);
  for (int i = 0; i < Width; i += 4) {
    panoptim_int64 done = i + 4 <= count ? pack_four<Width>(depth, from + i * stride, stride, to + i) : 0;
    for (; done < depth; done++) {
      for (int each = i; each < i + 4; each++) {
        to[done * Width + each] = each < count ? from[each * stride + done] : 0;
      }
    }
  }
}

template <int Width>
void pack_straight(int count, panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to) {
  for (panoptim_int64 k = 0; k < depth; k++) {
    if (count == Width) {
      __builtin_memcpy(to + k * Width, from + k * stride, Width * sizeof(float));
    } else {
      for (int i = 0; i < Width; i++) to[k * Width + i] = i < count ? from[k * stride + i] : 0;
    }
  }
}

template <int Columns>
void finish_tile(float *tile, const tile_target &target) {
  for (int i = 0; i < target.rows; i++) {
    float *sums = tile + i * Columns;
    float *output = target.output + i * target.output_stride;
    const panoptim_int64 begin = target.mirrored && i + target.diagonal > 0 ? i + target.diagonal : 0;
    if (target.added) {
      const float *added = target.added + i * target.added_stride;
      for (panoptim_int64 j = begin; j < target.columns; j++) {
        sums[j] = canonical(fused_multiply_add(target.alpha, sums[j], target.beta * added[j]));
      }
    } else {
      for (panoptim_int64 j = begin; j < target.columns; j++) {
        sums[j] = canonical(fused_multiply_add(target.alpha, sums[j], 0.0f));
      }
    }
    for (panoptim_int64 j = begin; j < target.columns; j++) output[j] = sums[j];
  }
  if (!target.mirrored) return;
  for (int j = 0; j < target.columns; j++) {
    float *output = target.mirrored + j * target.output_stride;
    const panoptim_int64 end = j - target.diagonal < target.rows ? j - target.diagonal : target.rows;
    for (panoptim_int64 i = 0; i < end; i++) output[i] = tile[i * Columns + j];
  }
}

// `Rows` times `Registers` accumulators, the `Registers` of the right operand and one more must fit into the
// processor's registers.
template <int Rows, int Registers>
constexpr product_kernels every_product_loop() {
  constexpr int columns = Registers * lanes::count;
  return {Rows,
          columns,
          pack_transposed<Rows>,
          pack_transposed<columns>,
          pack_straight<columns>,
          multiply_tile<Rows, Registers>,
          finish_tile<columns>};
}

}  // namespace

// The whole content of a tier's file, which is compiled with the tier's flags.
#define PANOPTIM_TIER_PRODUCTS(name, rows, registers) \
  extern const product_kernels name = every_product_loop<rows, registers>()

#endif
