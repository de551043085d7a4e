// Tiles: the parts of a plan that the blocks of a device update.
#ifndef PANOPTIM_CUDA_TILES_H
#define PANOPTIM_CUDA_TILES_H

#include "cuda/launch.h"
#include "panoptim.h"

// Small enough that one tensor of a few chunks has work for all multiprocessors.
constexpr panoptim_int64 tile = PANOPTIM_TILE;
static_assert(PANOPTIM_CHUNK % tile == 0, "a tile lies in one chunk");

// Tells the compiler that an address is in global memory, not in a block's shared memory. Otherwise each access would
// find that out.
template <class Element>
PANOPTIM_DEVICE Element *global(Element *address) {
#if defined(__CUDA_ARCH__)
  __builtin_assume(__isGlobal(address));
#endif
  return address;
}

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

PANOPTIM_DEVICE range tile_at(const panoptim_tensor *tensors, const panoptim_cuda_tile *tiles, panoptim_int64 block) {
  return range_of(tensors, tiles[block].row, tiles[block].index * tile, tile);
}

#endif
