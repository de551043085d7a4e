#include "matrix/product.h"

#include "matrix/blocks.h"
#include "step/sharing.h"

namespace {

panoptim_int64 smaller(panoptim_int64 a, panoptim_int64 b) {
  return a < b ? a : b;
}

// A product, and the part of the workspace of one thread.
class product_work {
 public:
  product_work(const panoptim_product &product, const product_blocks &blocks, const product_kernels &kernels,
               panoptim_int64 thread)
      : product_(product), blocks_(blocks), kernels_(kernels) {
    char *memory = static_cast<char *>(product.workspace) + thread * blocks.bytes_of_a_thread();
    left_ = reinterpret_cast<float *>(memory);
    right_ = left_ + blocks.left_floats();
    tiles_ = right_ + blocks.right_floats();
  }

  void compute(panoptim_int64 block) {
    matrix_ = blocks_.matrix_of(block);
    first_row_ = blocks_.first_row_of(block);
    first_column_ = blocks_.first_column_of(block);
    end_row_ = smaller(first_row_ + blocks_.block_rows(), product_.rows);
    end_column_ = smaller(first_column_ + blocks_.block_columns(), product_.columns);
    if (is_mirrored(first_row_, end_column_)) return;
    panoptim_int64 k = 0;
    do {
      compute_depth(k, smaller(depth_step, product_.depth - k));
      k += depth_step;
    } while (k < product_.depth);
  }

 private:
  bool symmetric() const {
    return product_.form == PANOPTIM_PRODUCT_SYMMETRIC;
  }

  // Whether all elements from `row` on, in columns before `end_column`, are copies of elements right of the diagonal.
  bool is_mirrored(panoptim_int64 row, panoptim_int64 end_column) const {
    return symmetric() && end_column <= row;
  }

  void compute_depth(panoptim_int64 k, panoptim_int64 depth) {
    if (depth > 0) pack_left(k, depth);
    const bool ends = k + depth_step >= product_.depth;
    const bool one_step = product_.depth <= depth_step;
    const panoptim_int64 rows_of_tiles = (end_row_ - first_row_ + kernels_.rows - 1) / kernels_.rows;
    float *tiles = tiles_;
    for (panoptim_int64 column = first_column_; column < end_column_; column += kernels_.columns) {
      const panoptim_int64 end_column = smaller(column + kernels_.columns, end_column_);
      if (is_mirrored(first_row_, end_column)) continue;
      if (depth > 0) pack_right(k, depth, column, static_cast<int>(end_column - column));
      float *tile = tiles;
      for (panoptim_int64 row = first_row_; row < end_row_; row += kernels_.rows) {
        if (is_mirrored(row, end_column)) break;
        kernels_.multiply(depth, left_ + (row - first_row_) * depth, right_, tile, k == 0);
        if (ends) kernels_.finish(tile, target_of(row, column));
        if (!one_step) tile += kernels_.rows * kernels_.columns;
      }
      if (!one_step) tiles += rows_of_tiles * kernels_.rows * kernels_.columns;
    }
  }

  void pack_left(panoptim_int64 k, panoptim_int64 depth) const {
    for (panoptim_int64 row = first_row_; row < end_row_; row += kernels_.rows) {
      kernels_.pack_left(static_cast<int>(smaller(kernels_.rows, end_row_ - row)), depth,
                         product_.left[matrix_] + row * product_.left_stride + k, product_.left_stride,
                         left_ + (row - first_row_) * depth);
    }
  }

  void pack_right(panoptim_int64 k, panoptim_int64 depth, panoptim_int64 column, int count) const {
    if (symmetric()) {
      kernels_.pack_right_transposed(count, depth, product_.left[matrix_] + column * product_.left_stride + k,
                                     product_.left_stride, right_);
    } else {
      kernels_.pack_right(count, depth, product_.right[matrix_] + k * product_.right_stride + column,
                          product_.right_stride, right_);
    }
  }

  tile_target target_of(panoptim_int64 row, panoptim_int64 column) const {
    float *output = product_.output[matrix_];
    tile_target target;
    target.alpha = product_.alpha;
    target.beta = product_.beta;
    target.added = product_.beta == 0 ? nullptr : product_.added[matrix_] + row * product_.added_stride + column;
    target.added_stride = product_.added_stride;
    target.output = output + row * product_.output_stride + column;
    target.output_stride = product_.output_stride;
    target.mirrored = symmetric() ? output + column * product_.output_stride + row : nullptr;
    target.diagonal = row - column;
    target.rows = static_cast<int>(smaller(kernels_.rows, end_row_ - row));
    target.columns = static_cast<int>(smaller(kernels_.columns, end_column_ - column));
    return target;
  }

  const panoptim_product &product_;
  const product_blocks &blocks_;
  const product_kernels &kernels_;
  float *left_;
  float *right_;
  float *tiles_;
  panoptim_int64 matrix_ = 0;
  panoptim_int64 first_row_ = 0;
  panoptim_int64 first_column_ = 0;
  panoptim_int64 end_row_ = 0;
  panoptim_int64 end_column_ = 0;
};

// Takes blocks until all are taken. Each thread has a separate part of the workspace.
void take_blocks(panoptim_product &product) {
  const panoptim_int64 thread = __atomic_fetch_add(&product.joined, 1, __ATOMIC_RELAXED);
  if (thread >= product.threads) return;
  const product_kernels &kernels = product_kernels_of(product.tier);
  const product_blocks blocks(product, kernels);
  product_work work(product, blocks, kernels, thread);
  for (;;) {
    const panoptim_int64 block = __atomic_fetch_add(&product.taken, 1, __ATOMIC_RELAXED);
    if (block >= blocks.count()) return;
    work.compute(block);
  }
}

}  // namespace

panoptim_int64 workspace_of(const panoptim_product &product) {
  return product.threads * product_blocks(product, product_kernels_of(product.tier)).bytes_of_a_thread();
}

void run_product(panoptim_product &product) {
  product.taken = 0;
  product.joined = 0;
  const bool announced = product.sharing == PANOPTIM_ANNOUNCED;
  if (announced) __atomic_store_n(&product.sharing, PANOPTIM_OPEN, __ATOMIC_SEQ_CST);
  take_blocks(product);
  if (announced) close(product);
}

void help_product(panoptim_product &product) {
  join(product, [&] { take_blocks(product); });
}
