// The blocks of a product's results. A block is the share of one thread, which packs the operands that it needs.
#ifndef PANOPTIM_MATRIX_BLOCKS_H
#define PANOPTIM_MATRIX_BLOCKS_H

#include "matrix/kernel.h"

// The depth of packed panels. In the AVX-512 tier, a right panel has 32 KiB and a left one 12 KiB; both fit into the
// first-level cache of 48 KiB that such processors have.
constexpr panoptim_int64 depth_step = 256;

// The blocks of one result, and the parts of the workspace of one thread.
class product_blocks {
 public:
  product_blocks(const panoptim_product &product, const product_kernels &kernels);

  panoptim_int64 block_rows() const {
    return rows_;
  }

  panoptim_int64 block_columns() const {
    return columns_;
  }

  // Blocks of all results.
  panoptim_int64 count() const {
    return product_.count * row_blocks_ * column_blocks_;
  }

  panoptim_int64 matrix_of(panoptim_int64 block) const {
    return block / (row_blocks_ * column_blocks_);
  }

  panoptim_int64 first_row_of(panoptim_int64 block) const {
    return block / column_blocks_ % row_blocks_ * rows_;
  }

  panoptim_int64 first_column_of(panoptim_int64 block) const {
    return block % column_blocks_ * columns_;
  }

  // Floats of the workspace: the packed left operand, a panel of the right one, and tiles.
  panoptim_int64 left_floats() const;
  panoptim_int64 right_floats() const;
  panoptim_int64 tile_floats() const;

  panoptim_int64 bytes_of_a_thread() const {
    return (left_floats() + right_floats() + tile_floats()) * static_cast<panoptim_int64>(sizeof(float));
  }

 private:
  const panoptim_product &product_;
  const product_kernels &kernels_;
  panoptim_int64 rows_;
  panoptim_int64 columns_;
  panoptim_int64 row_blocks_;
  panoptim_int64 column_blocks_;
};

#endif
