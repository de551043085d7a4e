// How the elements of a plan are shared out among the blocks of a device.
#ifndef PANOPTIM_CUDA_PIECES_H
#define PANOPTIM_CUDA_PIECES_H

#include "cuda/launch.h"
#include "panoptim.h"

// Small enough that a single tensor of a few chunks occupies a whole device.
constexpr panoptim_int64 piece = PANOPTIM_PIECE;
static_assert(PANOPTIM_CHUNK % piece == 0, "a piece lies in one chunk");

// Consecutive elements of one row.
struct range {
  panoptim_int64 row;
  panoptim_int64 start;
  panoptim_int64 length;
};

PANOPTIM_DEVICE range range_of(const panoptim_tensor *tensors, panoptim_int64 row, panoptim_int64 start,
                               panoptim_int64 most) {
  const panoptim_int64 left = tensors[row].length - start;
  return {row, start, left < most ? left : most};
}

PANOPTIM_DEVICE range chunk_at(const panoptim_tensor *tensors, const int32_t *chunk_rows, panoptim_int64 chunk) {
  const panoptim_int64 row = chunk_rows[chunk];
  return range_of(tensors, row, (chunk - tensors[row].first_chunk) * PANOPTIM_CHUNK, PANOPTIM_CHUNK);
}

PANOPTIM_DEVICE range piece_at(const panoptim_tensor *tensors, const panoptim_cuda_piece *pieces,
                               panoptim_int64 block) {
  return range_of(tensors, pieces[block].row, pieces[block].index * piece, piece);
}

#endif
