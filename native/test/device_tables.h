// The tables of a GPU's plan, for tests and benchmarks.
#ifndef PANOPTIM_TEST_DEVICE_TABLES_H
#define PANOPTIM_TEST_DEVICE_TABLES_H

#include <vector>

#include "panoptim.h"

struct device_tables {
  std::vector<int32_t> chunk_rows;        // the row of each chunk
  std::vector<panoptim_cuda_tile> tiles;  // of all rows, in order

  explicit device_tables(const std::vector<panoptim_tensor> &rows) {
    for (size_t row = 0; row < rows.size(); row++) {
      const int32_t number = static_cast<int32_t>(row);
      const panoptim_int64 length = rows[row].length;
      for (panoptim_int64 start = 0; start < length; start += PANOPTIM_CHUNK) chunk_rows.push_back(number);
      for (int32_t i = 0; i * panoptim_int64{PANOPTIM_TILE} < length; i++) tiles.push_back({number, i});
    }
  }
};

#endif
