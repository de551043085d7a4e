// The chunks of a plan, and the chunks of a share.
#ifndef PANOPTIM_STEP_CHUNKS_H
#define PANOPTIM_STEP_CHUNKS_H

#include "panoptim.h"

constexpr panoptim_int64 chunk = PANOPTIM_CHUNK;

// The most elements of an operand whose size is a product, so that no count of elements or bytes overflows.
constexpr panoptim_int64 most_elements = panoptim_int64{1} << 54;

constexpr panoptim_int64 quotient_up(panoptim_int64 a, panoptim_int64 b) {
  return a / b + (a % b != 0);
}

inline panoptim_int64 total_elements(const panoptim_plan &plan) {
  if (plan.tensor_count == 0) return 0;
  const panoptim_tensor &last = plan.tensors[plan.tensor_count - 1];
  return last.offset + last.length;
}

// The last row that starts at or before an element. Elements are counted over all rows.
inline panoptim_int64 row_at(const panoptim_plan &plan, panoptim_int64 element) {
  panoptim_int64 low = 0;
  panoptim_int64 high = plan.tensor_count;
  while (high - low > 1) {
    const panoptim_int64 middle = low + (high - low) / 2;
    (plan.tensors[middle].offset <= element ? low : high) = middle;
  }
  return low;
}

// Calls visit(tensor, start, length) for each chunk that starts in [begin, end). Elements are counted over all rows. A
// chunk belongs to the share in which it starts, so the chunks do not depend on the number of shares.
template <class Visit>
void for_each_chunk(const panoptim_plan &plan, panoptim_int64 begin, panoptim_int64 end, Visit visit) {
  for (panoptim_int64 row = row_at(plan, begin); row < plan.tensor_count; row++) {
    const panoptim_tensor &tensor = plan.tensors[row];
    if (tensor.offset >= end) return;
    const panoptim_int64 skipped = begin > tensor.offset ? (begin - tensor.offset + chunk - 1) / chunk : 0;
    for (panoptim_int64 start = skipped * chunk; start < tensor.length; start += chunk) {
      if (tensor.offset + start >= end) return;
      const panoptim_int64 left = tensor.length - start;
      visit(tensor, start, left < chunk ? left : chunk);
    }
  }
}

#endif
