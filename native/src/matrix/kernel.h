// The kernels of a tier for matrix products: they work on packed panels and on tiles of the result.
//
// A panel is a strip of an operand. It has `rows` rows of the left operand or `columns` columns of the right one, and
// lies in the order in which a tile needs it: all elements of one depth, then those of the next depth.
#ifndef PANOPTIM_MATRIX_KERNEL_H
#define PANOPTIM_MATRIX_KERNEL_H

#include "panoptim.h"

// Where the elements of a finished tile go.
struct tile_target {
  float alpha;
  float beta;
  const float *added;  // NULL if beta is 0
  panoptim_int64 added_stride;
  float *output;
  panoptim_int64 output_stride;
  float *mirrored;          // for a symmetric result, the place of the transposed tile, else NULL
  panoptim_int64 diagonal;  // for a symmetric result, the tile's column in which its row 0 meets the diagonal
  int rows;                 // rows and columns that the result has; the others are padding
  int columns;
};

struct product_kernels {
  int rows;     // of a tile
  int columns;  // of a tile

  // Copies to a panel: to[k * width + i] = from[i * stride + k] for i < count and k < depth; zeros for i >= count.
  // `width` is `rows` for a left panel, and `columns` for a right panel.
  void (*pack_left)(int count, panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to);
  void (*pack_right_transposed)(int count, panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to);

  // The same with to[k * columns + i] = from[k * stride + i].
  void (*pack_right)(int count, panoptim_int64 depth, const float *from, panoptim_int64 stride, float *to);

  // Continues the chains of all elements of a tile over `depth`. With `starts`, the chains start at 0; otherwise the
  // tile has their values so far.
  void (*multiply)(panoptim_int64 depth, const float *left, const float *right, float *tile, bool starts);

  // Writes a tile whose chains are complete to the result. Overwrites the tile.
  void (*finish)(float *tile, const tile_target &target);
};

// The kernels of a tier (PANOPTIM_TIER_...), which must be available.
const product_kernels &product_kernels_of(int32_t tier);

#endif
