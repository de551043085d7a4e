#include "step/check.h"

#include "fail.h"
#include "rule/composition.h"

namespace {

int32_t check_composition(panoptim_plan *plan) {
  const struct {
    const char *name;
    int32_t value;
    int count;
  } parts[] = {
#define PANOPTIM_PART(name, values) {#name, plan->name, values},
      PANOPTIM_AXES(PANOPTIM_PART)
#undef PANOPTIM_PART
  };
  for (const auto &part : parts) {
    if (part.value < 0 || part.value >= part.count) {
      return fail(plan, PANOPTIM_INVALID_ARGUMENT, "%s is %d, not 0 to %d", part.name, part.value, part.count - 1);
    }
  }
  if (const char *why = why_illegal(composition_of(*plan))) return fail(plan, PANOPTIM_INVALID_ARGUMENT, "%s", why);
  return PANOPTIM_OK;
}

int32_t check_rows(panoptim_plan *plan) {
  if (plan->tensor_count < 0 || plan->coefficients_count < 0) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "tensor_count is %lld and coefficients_count %lld, not 0 or more",
                plan->tensor_count, plan->coefficients_count);
  }
  const int states = states_of(composition_of(*plan));
  panoptim_int64 offset = 0;
  panoptim_int64 first_chunk = 0;
  for (panoptim_int64 row = 0; row < plan->tensor_count; row++) {
    const panoptim_tensor &tensor = plan->tensors[row];
    if (tensor.length < 0 || tensor.offset != offset) {
      return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld has length %lld and offset %lld, not 0 or more and %lld",
                  row, tensor.length, tensor.offset, offset);
    }
    if (tensor.first_chunk != first_chunk) {
      return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld has first_chunk %lld, not %lld", row, tensor.first_chunk,
                  first_chunk);
    }
    first_chunk += tensor.length / PANOPTIM_CHUNK + (tensor.length % PANOPTIM_CHUNK != 0);
    if (tensor.coefficients < 0 || tensor.coefficients >= plan->coefficients_count) {
      return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld names coefficients %lld of %lld", row, tensor.coefficients,
                  plan->coefficients_count);
    }
    if (tensor.length > 0) {
      if (!tensor.parameter || !tensor.gradient) {
        return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld has no parameter or no gradient", row);
      }
      if ((plan->averages && !tensor.average) || (plan->half_precision && !tensor.half_precision)) {
        return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld lacks an average or a half-precision copy", row);
      }
      for (int i = 0; i < states; i++) {
        if (!tensor.state[i]) {
          return fail(plan, PANOPTIM_INVALID_ARGUMENT, "row %lld lacks state %d of %d", row, i, states);
        }
      }
    }
    if (__builtin_add_overflow(offset, tensor.length, &offset)) {
      return fail(plan, PANOPTIM_INVALID_ARGUMENT, "the rows up to %lld have more than 2^63-1 elements", row);
    }
  }
  return PANOPTIM_OK;
}

int32_t check_publication(panoptim_plan *plan) {
  if (plan->publish < PANOPTIM_PUBLISH_NONE || plan->publish > PANOPTIM_PUBLISH_FLOAT16) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "publish is %d, not %d to %d", plan->publish, PANOPTIM_PUBLISH_NONE,
                PANOPTIM_PUBLISH_FLOAT16);
  }
  if (plan->publish && !plan->publication) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "publish is %d, but publication is NULL", plan->publish);
  }
  if (plan->publish && plan->publish_averages && !plan->averages) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "averages are published, but the plan has none");
  }
  return PANOPTIM_OK;
}

}  // namespace

int32_t check_work(panoptim_plan *plan) {
  if (plan->clips && !(plan->clip >= 0)) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "clip is %g, not 0 or more", static_cast<double>(plan->clip));
  }
  if (plan->half_precision < PANOPTIM_HALF_PRECISION_NONE || plan->half_precision > PANOPTIM_HALF_PRECISION_FLOAT16) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "half_precision is %d, not %d to %d", plan->half_precision,
                PANOPTIM_HALF_PRECISION_NONE, PANOPTIM_HALF_PRECISION_FLOAT16);
  }
  if (const int32_t status = check_publication(plan)) return status;
  if (const int32_t status = check_composition(plan)) return status;
  return check_rows(plan);
}

int32_t check_sums(panoptim_plan *plan) {
  return plan->square_sums ? PANOPTIM_OK : fail(plan, PANOPTIM_INVALID_ARGUMENT, "square_sums is NULL");
}

int32_t check_measures(panoptim_plan *plan) {
  return plan->measures ? PANOPTIM_OK : fail(plan, PANOPTIM_INVALID_ARGUMENT, "measures is NULL");
}
