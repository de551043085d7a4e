#include "step/quick.h"

#include "step/chunks.h"
#include "step/kernel_at.h"

namespace {

// Whether the step needs more than the update by the calling thread.
bool needs_more_than_update(const panoptim_plan &plan) {
  static_assert(PANOPTIM_CLOSED == 0 && PANOPTIM_HALF_PRECISION_NONE == 0 && PANOPTIM_PUBLISH_NONE == 0);
  return (plan.sharing | plan.clips | plan.averages | plan.half_precision | plan.zeroes | plan.publish) != 0;
}

// Whether `check_work` would accept all rows, and none is longer than a chunk. (`offset` cannot overflow: a table with
// enough rows for that would not fit into memory.)
bool are_small_and_valid(const panoptim_plan &plan, int states) {
  if ((plan.tensor_count | plan.coefficients_count) < 0) return false;
  panoptim_int64 offset = 0;
  panoptim_int64 first_chunk = 0;
  for (panoptim_int64 row = 0; row < plan.tensor_count; row++) {
    const panoptim_tensor &tensor = plan.tensors[row];
    if (!is_below(tensor.length, chunk + 1)) return false;
    if (tensor.offset != offset || tensor.first_chunk != first_chunk) return false;
    if (!is_below(tensor.coefficients, plan.coefficients_count)) return false;
    if (tensor.length > 0) {
      if (!tensor.parameter || !tensor.gradient) return false;
      for (int i = 0; i < states; i++) {
        if (!tensor.state[i]) return false;
      }
      first_chunk++;
    }
    offset += tensor.length;
  }
  return true;
}

}  // namespace

bool step_quickly(const panoptim_plan &plan, const kernel_table &kernels) {
  if (needs_more_than_update(plan)) return false;
  const composition c = composition_of(plan);
  const kernel update = kernel_at(kernels, c);
  if (!update || !are_small_and_valid(plan, states_of(c))) return false;
  for (panoptim_int64 row = 0; row < plan.tensor_count; row++) {
    const panoptim_tensor &tensor = plan.tensors[row];
    update(plan.coefficients[tensor.coefficients], tensor.length, tensor.parameter, tensor.gradient, tensor.state);
  }
  return true;
}
