#include "fail.h"
#include "matrix/product.h"
#include "tier/tiers.h"

namespace {

// The operand's elements must be countable in 63 bits, so that no index overflows.
int32_t check_size(panoptim_product *product, const char *name, panoptim_int64 rows, panoptim_int64 columns,
                   panoptim_int64 stride) {
  if (stride < columns) {
    return fail(product, PANOPTIM_INVALID_ARGUMENT, "%s_stride is %lld, not at least the %lld columns", name, stride,
                columns);
  }
  panoptim_int64 bytes;
  if (__builtin_mul_overflow(rows, stride, &bytes) ||
      __builtin_mul_overflow(bytes, static_cast<panoptim_int64>(sizeof(float)), &bytes)) {
    return fail(product, PANOPTIM_INVALID_ARGUMENT,
                "the matrix `%s` has %lld rows with a stride of %lld, more than 2^63-1 bytes", name, rows, stride);
  }
  return PANOPTIM_OK;
}

int32_t check_matrices(panoptim_product *product, const char *name, const float *const *matrices, panoptim_int64 rows,
                       panoptim_int64 columns) {
  if (rows == 0 || columns == 0 || product->count == 0) return PANOPTIM_OK;
  if (!matrices) return fail(product, PANOPTIM_INVALID_ARGUMENT, "%s is NULL", name);
  for (panoptim_int64 i = 0; i < product->count; i++) {
    if (!matrices[i]) return fail(product, PANOPTIM_INVALID_ARGUMENT, "%s[%lld] is NULL", name, i);
  }
  return PANOPTIM_OK;
}

}  // namespace

int32_t check_shape(panoptim_product *p) {
  if (const int32_t status = check_tier(p)) return status;
  if (p->threads < 1) return fail(p, PANOPTIM_INVALID_ARGUMENT, "threads is %d, not 1 or more", p->threads);
  if (p->form != PANOPTIM_PRODUCT_GENERAL && p->form != PANOPTIM_PRODUCT_SYMMETRIC) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "form is %d, not %d or %d", p->form, PANOPTIM_PRODUCT_GENERAL,
                PANOPTIM_PRODUCT_SYMMETRIC);
  }
  if (p->count < 0 || p->rows < 0 || p->columns < 0 || p->depth < 0) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "count is %lld, rows %lld, columns %lld and depth %lld, not 0 or more",
                p->count, p->rows, p->columns, p->depth);
  }
  const bool symmetric = p->form == PANOPTIM_PRODUCT_SYMMETRIC;
  if (symmetric && p->rows != p->columns) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "a symmetric product has %lld rows and %lld columns, not the same number",
                p->rows, p->columns);
  }
  panoptim_int64 elements;
  if (__builtin_mul_overflow(p->rows, p->columns, &elements) || __builtin_mul_overflow(elements, p->count, &elements)) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "%lld results of %lld x %lld have more than 2^63-1 elements", p->count,
                p->rows, p->columns);
  }
  int32_t status = check_size(p, "left", p->rows, p->depth, p->left_stride);
  if (!status && !symmetric) status = check_size(p, "right", p->depth, p->columns, p->right_stride);
  if (!status && p->beta != 0) status = check_size(p, "added", p->rows, p->columns, p->added_stride);
  return status ? status : check_size(p, "output", p->rows, p->columns, p->output_stride);
}

int32_t check_product(panoptim_product *p) {
  int32_t status = check_shape(p);
  if (status) return status;
  if (p->sharing != PANOPTIM_CLOSED && p->sharing != PANOPTIM_ANNOUNCED) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "sharing is %d, not %d or %d", p->sharing, PANOPTIM_CLOSED,
                PANOPTIM_ANNOUNCED);
  }
  const bool has_output = p->rows > 0 && p->columns > 0;
  status = check_matrices(p, "output", p->output, p->rows, p->columns);
  if (!status && has_output) status = check_matrices(p, "left", p->left, p->rows, p->depth);
  if (!status && has_output && p->form == PANOPTIM_PRODUCT_GENERAL) {
    status = check_matrices(p, "right", p->right, p->depth, p->columns);
  }
  if (!status && p->beta != 0) status = check_matrices(p, "added", p->added, p->rows, p->columns);
  if (status) return status;
  const panoptim_int64 needed = workspace_of(*p);
  if (p->workspace_bytes < needed) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "workspace_bytes is %lld, not at least %lld", p->workspace_bytes, needed);
  }
  if (!p->workspace || reinterpret_cast<uintptr_t>(p->workspace) % PANOPTIM_WORKSPACE_ALIGNMENT != 0) {
    return fail(p, PANOPTIM_INVALID_ARGUMENT, "workspace is %p, not an address that is a multiple of %d", p->workspace,
                PANOPTIM_WORKSPACE_ALIGNMENT);
  }
  return PANOPTIM_OK;
}
