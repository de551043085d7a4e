#include "matrix/blocks.h"

namespace {

// The largest block. A thread packs the left operand of a block once for `most_columns`, and the right one once for
// `most_rows`; larger blocks would leave the second-level cache.
constexpr panoptim_int64 most_rows = 256;
constexpr panoptim_int64 most_columns = 1024;

// Smaller blocks take too long for packing.
constexpr panoptim_int64 least_rows = 48;
constexpr panoptim_int64 least_columns = 96;

// Blocks for each thread, so that no thread waits long for the last one.
constexpr panoptim_int64 blocks_each = 4;

constexpr panoptim_int64 parts(panoptim_int64 whole, panoptim_int64 part) {
  return whole / part + (whole % part != 0);
}

constexpr panoptim_int64 whole_multiple(panoptim_int64 value, panoptim_int64 unit) {
  return parts(value, unit) * unit;
}

// The size of even parts that are at most `most` and are multiples of `unit`.
panoptim_int64 even_part(panoptim_int64 whole, panoptim_int64 most, panoptim_int64 unit) {
  const panoptim_int64 at_most = most / unit * unit;
  return whole == 0 ? unit : whole_multiple(parts(whole, parts(whole, at_most)), unit);
}

panoptim_int64 smaller(panoptim_int64 a, panoptim_int64 b) {
  return a < b ? a : b;
}

}  // namespace

product_blocks::product_blocks(const panoptim_product &product, const product_kernels &kernels)
    : product_(product), kernels_(kernels) {
  panoptim_int64 rows = most_rows;
  panoptim_int64 columns = most_columns;
  for (;;) {
    rows_ = even_part(product.rows, rows, kernels.rows);
    columns_ = even_part(product.columns, columns, kernels.columns);
    row_blocks_ = parts(product.rows, rows_);
    column_blocks_ = parts(product.columns, columns_);
    if (product.threads == 1 || count() >= blocks_each * product.threads) return;
    const bool halve_columns = columns_ >= rows_;
    if (halve_columns && columns_ / 2 >= least_columns) {
      columns = columns_ / 2;
    } else if (rows_ / 2 >= least_rows) {
      rows = rows_ / 2;
    } else if (columns_ / 2 >= least_columns) {
      columns = columns_ / 2;
    } else {
      return;
    }
  }
}

panoptim_int64 product_blocks::left_floats() const {
  return whole_multiple(rows_ * smaller(product_.depth, depth_step), 16);
}

panoptim_int64 product_blocks::right_floats() const {
  return whole_multiple(kernels_.columns * smaller(product_.depth, depth_step), 16);
}

panoptim_int64 product_blocks::tile_floats() const {
  // With one depth step, each tile is finished before the next begins.
  return whole_multiple(product_.depth <= depth_step ? kernels_.rows * kernels_.columns : rows_ * columns_, 16);
}
