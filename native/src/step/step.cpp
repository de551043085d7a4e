#include "step/step.h"

#include "step/sharing.h"

namespace {

void run_share(const panoptim_plan &plan, kernel update, panoptim_int64 begin, panoptim_int64 end) {
  for_each_chunk(plan, begin, end, [&](const panoptim_tensor &tensor, panoptim_int64 start, panoptim_int64 length) {
    float *state[PANOPTIM_STATES];
    for (int i = 0; i < PANOPTIM_STATES; i++) state[i] = tensor.state[i] ? tensor.state[i] + start : nullptr;
    update(plan.coefficients[tensor.coefficients], length, tensor.parameter + start, tensor.gradient + start, state);
  });
}

}  // namespace

void run_step(panoptim_plan &plan, kernel update) {
  share_out(plan, [&](panoptim_int64 begin, panoptim_int64 end) { run_share(plan, update, begin, end); });
}

void help_step(panoptim_plan &plan, kernel (*kernel_of)(const panoptim_plan &plan)) {
  come_to_help(plan, [&] {
    return [&plan, update = kernel_of(plan)](panoptim_int64 begin, panoptim_int64 end) {
      run_share(plan, update, begin, end);
    };
  });
}
