#include "factored/factored.h"

#include "fail.h"
#include "step/sharing.h"
#include "tier/tiers.h"

// Found by the templates of step/sharing.h.
inline panoptim_int64 total_elements(const panoptim_factored &factored) {
  return factored.rows * factored.columns;
}

namespace {

constexpr panoptim_int64 block = PANOPTIM_FACTORED_BLOCK;

// Whether the result shares some bytes with another operand.
bool overlaps(const panoptim_factored &factored, const void *operand, panoptim_int64 elements) {
  const uintptr_t a = reinterpret_cast<uintptr_t>(factored.result);
  const uintptr_t b = reinterpret_cast<uintptr_t>(operand);
  const uintptr_t bytes_of_a = static_cast<uintptr_t>(total_elements(factored)) * sizeof(float);
  const uintptr_t bytes_of_b = static_cast<uintptr_t>(elements) * sizeof(float);
  return operand && (a < b ? b - a < bytes_of_a : a - b < bytes_of_b);
}

int32_t check_operands(panoptim_factored *factored) {
  const bool sums = factored->operation == PANOPTIM_FACTORED_SUMS;
  const bool scales = factored->operation == PANOPTIM_FACTORED_SCALE;
  const bool vector = factored->operation == PANOPTIM_FACTORED_VECTOR;
  const struct {
    const char *name;
    bool missing;
  } operands[] = {
      {"matrix", !factored->matrix},
      {"result", !sums && !factored->result},
      {"state", vector && !factored->state},
      {"row_factors", scales && !factored->row_factors},
      {"row_sums", sums && !factored->row_sums},
  };
  for (const auto &each : operands) {
    if (each.missing)
      return fail(factored, PANOPTIM_INVALID_ARGUMENT, "%s is NULL, but operation %d needs it", each.name,
                  factored->operation);
  }
  if (sums) return PANOPTIM_OK;
  const panoptim_int64 elements = total_elements(*factored);
  if ((factored->result != factored->matrix && overlaps(*factored, factored->matrix, elements)) ||
      (vector && overlaps(*factored, factored->state, elements)) ||
      (scales && (overlaps(*factored, factored->row_factors, factored->rows) ||
                  overlaps(*factored, factored->column_factors, factored->columns)))) {
    return fail(factored, PANOPTIM_INVALID_ARGUMENT, "result overlaps a part of matrix, or another operand");
  }
  return PANOPTIM_OK;
}

panoptim_int64 smaller(panoptim_int64 a, panoptim_int64 b) {
  return a < b ? a : b;
}

struct factored_work {
  const panoptim_factored &factored;
  const kernel_table &kernels;

  // Sums: works on the tiles that start in [begin, end). Others: on the chunks that do.
  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    if (begin >= end) return;
    if (factored.operation == PANOPTIM_FACTORED_SUMS) {
      sum_tiles(begin, end);
      return;
    }
    for (panoptim_int64 start = quotient_up(begin, chunk) * chunk; start < end; start += chunk) {
      write_chunk(start, smaller(chunk, total_elements(factored) - start));
    }
  }

 private:
  // A tile is one chunk of each row of a block. Its start is the number of elements of all tiles before it, when tiles
  // are counted from left to right in each block, and blocks from the top.
  void sum_tiles(panoptim_int64 begin, panoptim_int64 end) const {
    const panoptim_int64 of_block = block * factored.columns;
    const panoptim_int64 chunks = quotient_up(factored.columns, chunk);
    for (panoptim_int64 index = begin / of_block; index * of_block < end; index++) {
      const panoptim_int64 rows = smaller(block, factored.rows - index * block);
      const panoptim_int64 before = begin - index * of_block;
      for (panoptim_int64 at = before > 0 ? quotient_up(before, rows * chunk) : 0;
           at < chunks && index * of_block + at * rows * chunk < end; at++) {
        sum_tile(index, rows, at, chunks);
      }
    }
  }

  void sum_tile(panoptim_int64 index, panoptim_int64 rows, panoptim_int64 at, panoptim_int64 chunks) const {
    const panoptim_int64 start = at * chunk;
    const panoptim_int64 length = smaller(chunk, factored.columns - start);
    double *columns = factored.column_sums ? factored.column_sums + index * factored.columns + start : nullptr;
    if (columns) __builtin_memset(columns, 0, static_cast<size_t>(length) * sizeof *columns);
    for (panoptim_int64 row = index * block; row < index * block + rows; row++) {
      const float *x = factored.matrix + row * factored.columns + start;
      factored.row_sums[row * chunks + at] =
          columns ? kernels.factored.add(factored.scale, factored.addend, length, x, columns)
                  : kernels.factored.sum(factored.scale, factored.addend, length, x);
    }
  }

  void write_chunk(panoptim_int64 start, panoptim_int64 length) const {
    if (factored.operation == PANOPTIM_FACTORED_VECTOR) {
      kernels.factored.vector(factored, length, factored.matrix + start, factored.state + start,
                              factored.result + start);
    } else {
      scale_rows(start, start + length);
    }
    if (factored.squares) {
      const float *result = factored.result + start;
      factored.squares[start / chunk] = kernels.vectors.dot(length, result, result);
    }
  }

  // Elements [start, end) of the whole matrix.
  void scale_rows(panoptim_int64 start, panoptim_int64 end) const {
    for (panoptim_int64 i = start; i < end;) {
      const panoptim_int64 row = i / factored.columns;
      const panoptim_int64 column = i % factored.columns;
      const panoptim_int64 length = smaller(end - i, factored.columns - column);
      const float factor = factored.row_factors[row];
      if (factored.column_factors) {
        kernels.factored.scale_columns(factored.scale, factor, factored.column_factors + column, factored.most, length,
                                       factored.matrix + i, factored.result + i);
      } else {
        kernels.factored.scale(factored.scale, factor > factored.most ? factored.most : factor, length,
                               factored.matrix + i, factored.result + i);
      }
      i += length;
    }
  }
};

}  // namespace

int32_t check_factored(panoptim_factored *factored) {
  if (const int32_t status = check_tier(factored)) return status;
  if (const int32_t status = check_sharing(factored)) return status;
  if (factored->operation < 0 || factored->operation >= PANOPTIM_FACTORED_OPERATIONS) {
    return fail(factored, PANOPTIM_INVALID_ARGUMENT, "operation is %d, not 0 to %d", factored->operation,
                PANOPTIM_FACTORED_OPERATIONS - 1);
  }
  if (factored->rows < 0 || factored->columns < 0) {
    return fail(factored, PANOPTIM_INVALID_ARGUMENT, "the matrix has %lld rows and %lld columns, not 0 or more",
                factored->rows, factored->columns);
  }
  if (factored->rows > 0 && factored->columns > most_elements / factored->rows) {
    return fail(factored, PANOPTIM_INVALID_ARGUMENT,
                "the matrix has %lld rows and %lld columns, more than 2^54 elements", factored->rows,
                factored->columns);
  }
  return total_elements(*factored) > 0 ? check_operands(factored) : PANOPTIM_OK;
}

void run_factored(panoptim_factored &factored) {
  run_shared(factored, factored_work{factored, *kernels_of(factored.tier)});
}

void help_factored(panoptim_factored &factored) {
  join_work(factored, [&](auto take) { take(factored_work{factored, *kernels_of(factored.tier)}); });
}
