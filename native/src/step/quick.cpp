#include "step/quick.h"

#include "rule/composition.h"
#include "step/chunks.h"

namespace {

// Whether a number is from 0 to `count` - 1. One comparison is enough, because negative numbers become large ones.
constexpr bool is_below(int32_t value, int count) {
  return static_cast<uint32_t>(value) < static_cast<uint32_t>(count);
}

constexpr bool is_below(panoptim_int64 value, panoptim_int64 count) {
  return static_cast<unsigned long long>(value) < static_cast<unsigned long long>(count);
}

// Whether the step needs more than the update by the calling thread.
bool needs_more_than_update(const panoptim_plan &plan) {
  static_assert(PANOPTIM_CLOSED == 0 && PANOPTIM_HALF_PRECISION_NONE == 0 && PANOPTIM_PUBLISH_NONE == 0);
  return (plan.sharing | plan.clips | plan.averages | plan.half_precision | plan.zeroes | plan.publish) != 0;
}

// NULL if the composition is unknown or illegal.
kernel kernel_at(const kernel_table &kernels, composition c) {
  bool known = true;
#define PANOPTIM_KNOWN(name, values) known &= is_below(c.name, values);
  PANOPTIM_AXES(PANOPTIM_KNOWN)
#undef PANOPTIM_KNOWN
  const int number = known ? kernel_of(c) : -1;
  return number < 0 ? nullptr : kernels.at[number];
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
