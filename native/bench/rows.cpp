// The limit for the speed of steps over rows of a table: moves their bytes. It reads the gradients, and reads and
// writes the rows of the parameter and of up to two states, and one float of each row. It prefetches as the library
// does. It computes one operation for each element, so that the compiler keeps the loads. Two calls restore all values.
#include <atomic>

#include "shares.h"

namespace {

using number = unsigned;

constexpr int most_operands = 3;

constexpr long long group_of_rows = 32;
constexpr long long rows_ahead = 8;

struct Table {
  number *operands[most_operands];
  number *sums;
  long long width;
};

struct Batch {
  const long long *places;
  const int *first;
  const int *next;
  const number *gradients;
};

__attribute__((always_inline)) inline void fetch(const number *row, long long length) {
  for (long long i = 0; i < length; i += 16) __builtin_prefetch(row + i, 1);
}

template <int Operands>
__attribute__((always_inline)) inline void fetch_beginnings(const Table &table, const Batch &batch, long long group,
                                                            long long end) {
  for (long long row = group; row < end && row < group + group_of_rows; row++) {
    for (int k = 0; k < Operands; k++) fetch(table.operands[k] + batch.places[row] * table.width, 1);
    if (table.sums) fetch(table.sums + batch.places[row], 1);
  }
}

template <int Operands>
__attribute__((always_inline)) inline void fetch_row(const Table &table, const Batch &batch, long long row) {
  for (int k = 0; k < Operands; k++) fetch(table.operands[k] + batch.places[row] * table.width, table.width);
}

// Returns the exclusive or of the gradients.
template <int Operands>
#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#endif
number
move(const Table &table, const Batch &batch, long long begin, long long end) {
  const long long width = table.width;
  number bits = 0;
  fetch_beginnings<Operands>(table, batch, begin, end);
  for (long long row = begin; row < end && row < begin + rows_ahead; row++) fetch_row<Operands>(table, batch, row);
  for (long long row = begin; row < end; row++) {
    if ((row - begin) % group_of_rows == 0) fetch_beginnings<Operands>(table, batch, row + group_of_rows, end);
    if (row + rows_ahead < end) fetch_row<Operands>(table, batch, row + rows_ahead);
    for (int each = batch.first[row]; each >= 0; each = batch.next[each]) {
      const number *gradient = batch.gradients + each * width;
      for (long long i = 0; i < width; i++) bits ^= gradient[i];
    }
    for (int k = 0; k < Operands; k++) {
      number *operand = table.operands[k] + batch.places[row] * width;
      for (long long i = 0; i < width; i++) operand[i] ^= 1;
    }
    if (table.sums) table.sums[batch.places[row]] ^= 1;
  }
  return bits;
}

number move_all(const Table &table, const Batch &batch, long long begin, long long end) {
  return table.operands[1] == nullptr   ? move<1>(table, batch, begin, end)
         : table.operands[2] == nullptr ? move<2>(table, batch, begin, end)
                                        : move<3>(table, batch, begin, end);
}

}  // namespace

// Moves several batches, one after the other, so that threads are started once. Threads wait for each other after each
// batch, as in steps. Unused states and sums are null pointers.
//
//   starts   of each batch in `places` and `first`, and the end of the last one
//   next     for each gradient of each batch
//   ids      gradients of a batch
extern "C" __attribute__((visibility("default"))) number panoptim_traffic_rows(
    number *parameter, number *a, number *b, number *sums, long long width, const number *gradients, long long ids,
    long long batches, const long long *starts, const long long *places, const int *first, const int *next,
    int threads) {
  const Table table = {{parameter, a, b}, sums, width};
  std::atomic<long long> done{0};
  std::atomic<number> all{0};
  in_shares(threads, threads, [&](int, long long share, long long) {
    number bits = 0;
    for (long long i = 0; i < batches; i++) {
      const Batch batch = {places + starts[i], first + starts[i], next + i * ids, gradients};
      const long long rows = starts[i + 1] - starts[i];
      bits ^= move_all(table, batch, rows * share / threads, rows * (share + 1) / threads);
      done++;
      for (long long turn = 1; done < (i + 1) * threads; turn++) {
        // On a machine with other work, the thread that is waited for may need this processor.
        if (turn % 256 == 0) std::this_thread::yield();
      }
    }
    all ^= bits;
  });
  return all;
}
