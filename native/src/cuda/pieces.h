// How the elements of a plan are shared out among the blocks of a device.
#ifndef PANOPTIM_CUDA_PIECES_H
#define PANOPTIM_CUDA_PIECES_H

#include "cuda/launch.h"
#include "panoptim.h"

// Elements that one block updates: a part of a chunk, so that a single tensor of a few chunks occupies a whole device.
constexpr int piece = 4096;
constexpr int pieces_of_chunk = PANOPTIM_CHUNK / piece;
static_assert(PANOPTIM_CHUNK % piece == 0, "a piece lies in one chunk");

// Consecutive elements of one row.
struct range {
  panoptim_int64 row;
  panoptim_int64 start;
  panoptim_int64 length;  // 0 or less where the row has ended before
};

PANOPTIM_DEVICE range range_of(const panoptim_tensor *tensors, const int32_t *chunk_rows, panoptim_int64 chunk,
                               panoptim_int64 skipped, panoptim_int64 most) {
  const panoptim_int64 row = chunk_rows[chunk];
  const panoptim_int64 start = (chunk - tensors[row].first_chunk) * PANOPTIM_CHUNK + skipped;
  const panoptim_int64 left = tensors[row].length - start;
  return {row, start, left < most ? left : most};
}

PANOPTIM_DEVICE range chunk_at(const panoptim_tensor *tensors, const int32_t *chunk_rows, panoptim_int64 chunk) {
  return range_of(tensors, chunk_rows, chunk, 0, PANOPTIM_CHUNK);
}

PANOPTIM_DEVICE range piece_at(const panoptim_tensor *tensors, const int32_t *chunk_rows, panoptim_int64 block) {
  return range_of(tensors, chunk_rows, block / pieces_of_chunk, block % pieces_of_chunk * piece, piece);
}

#endif
