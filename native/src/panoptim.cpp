// The functions of the C ABI.
#include "panoptim.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "factored/factored.h"
#include "matrix/product.h"
#include "step/quick.h"
#include "step/sharing.h"
#include "step/step.h"
#include "vector/vectors.h"

namespace {

// Checks the plan, then runs the call.
int32_t call(panoptim_plan *plan, work work) {
  if (!plan) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check_call(plan, work);
  if (status) {
    close(*plan);
  } else {
    run(*plan, *kernels_of(plan->tier), work);
  }
  return status;
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
  return call(plan, work_step);
}

int32_t panoptim_sum_squares(panoptim_plan *plan, ...) {
  return call(plan, work_sum_squares);
}

int32_t panoptim_measure(panoptim_plan *plan, ...) {
  return call(plan, work_measure);
}

void panoptim_help(panoptim_plan *plan) {
  help_call(*plan, kernels_of);
}

int32_t panoptim_run_vectors(panoptim_vectors *vectors, ...) {
  if (!vectors) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check_vectors(vectors);
  if (status) {
    close(*vectors);
  } else {
    run_vectors(*vectors);
  }
  return status;
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
  if (!product) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check_product(product);
  if (status) {
    close(*product);
  } else {
    run_product(*product);
  }
  return status;
}

void panoptim_help_multiply(panoptim_product *product) {
  help_product(*product);
}

int32_t panoptim_run_factored(panoptim_factored *factored, ...) {
  if (!factored) return PANOPTIM_INVALID_ARGUMENT;
  const int32_t status = check_factored(factored);
  if (status) {
    close(*factored);
  } else {
    run_factored(*factored);
  }
  return status;
}

void panoptim_help_factored(panoptim_factored *factored) {
  help_factored(*factored);
}
