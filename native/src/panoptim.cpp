// The functions of the C ABI.
#include "panoptim.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "factored/factored.h"
#include "matrix/product.h"
#include "rows/rows.h"
#include "step/quick.h"
#include "step/sharing.h"
#include "step/step.h"
#include "vector/vectors.h"

namespace {

// Checks a call, then runs it.
template <class Call, class Check, class Run>
int32_t checked(Call *call, Check check, Run run) {
  if (!call) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check(call);
  if (status) {
    close(*call);
  } else {
    run(*call);
  }
  return status;
}

int32_t work_on(panoptim_plan *plan, work work) {
  return checked(
      plan, [=](panoptim_plan *plan) { return check_call(plan, work); },
      [=](panoptim_plan &plan) { run(plan, *kernels_of(plan.tier), work); });
}

}  // namespace

int32_t panoptim_abi_version(void) {
  return PANOPTIM_ABI_VERSION;
}

int32_t panoptim_describe(panoptim_description *description) {
  if (!description) return PANOPTIM_INVALID_ARGUMENT;
  memset(description, 0, sizeof *description);
  description->abi_version = PANOPTIM_ABI_VERSION;
  for (int32_t tier = 0; tier < PANOPTIM_TIERS; tier++) {
    const char *why = why_no_tier(tier);
    description->tier_available[tier] = !why;
    snprintf(description->tier_reason[tier], PANOPTIM_TEXT, "%s", why ? why : "");
  }
#if defined(__clang__)
  snprintf(description->compiler, PANOPTIM_TEXT, "Clang %s", __clang_version__);
#else
  snprintf(description->compiler, PANOPTIM_TEXT, "GCC %s", __VERSION__);
#endif
  return PANOPTIM_OK;
}

int32_t panoptim_step(panoptim_plan *plan, ...) {
  if (plan) {
    const kernel_table *kernels = kernels_of(plan->tier);
    if (kernels && step_quickly(*plan, *kernels)) return PANOPTIM_OK;
  }
  return work_on(plan, work_step);
}

int32_t panoptim_sum_squares(panoptim_plan *plan, ...) {
  return work_on(plan, work_sum_squares);
}

int32_t panoptim_measure(panoptim_plan *plan, ...) {
  return work_on(plan, work_measure);
}

void panoptim_help(panoptim_plan *plan) {
  help_call(*plan, kernels_of);
}

int32_t panoptim_run_vectors(panoptim_vectors *vectors, ...) {
  return checked(vectors, check_vectors, run_vectors);
}

void panoptim_help_vectors(panoptim_vectors *vectors) {
  help_vectors(*vectors);
}

int32_t panoptim_multiply_workspace(panoptim_product *product) {
  if (!product) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check_shape(product);
  if (!status) product->workspace_bytes = workspace_of(*product);
  return status;
}

int32_t panoptim_multiply(panoptim_product *product, ...) {
  return checked(product, check_product, run_product);
}

void panoptim_help_multiply(panoptim_product *product) {
  help_product(*product);
}

int32_t panoptim_run_factored(panoptim_factored *factored, ...) {
  return checked(factored, check_factored, run_factored);
}

void panoptim_help_factored(panoptim_factored *factored) {
  help_factored(*factored);
}

int32_t panoptim_step_rows(panoptim_rows *rows, ...) {
  return checked(rows, check_rows, run_rows);
}

void panoptim_help_rows(panoptim_rows *rows) {
  help_rows(*rows);
}
