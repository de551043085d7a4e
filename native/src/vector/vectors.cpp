#include "vector/vectors.h"

#include "fail.h"
#include "step/sharing.h"
#include "tier/tiers.h"

// Found by the templates of step/sharing.h.
inline panoptim_int64 total_elements(const panoptim_vectors &vectors) {
  return vectors.length;
}

namespace {

bool has_result(const panoptim_vectors &vectors) {
  return vectors.operation == PANOPTIM_VECTOR_ADD || vectors.operation == PANOPTIM_VECTOR_SCALE;
}

bool reads_y(const panoptim_vectors &vectors) {
  return vectors.operation == PANOPTIM_VECTOR_DOT || vectors.operation == PANOPTIM_VECTOR_ADD;
}

// Whether the result shares some elements with an operand, but is not the same vector.
bool overlaps(const panoptim_vectors &vectors, const float *operand) {
  const uintptr_t a = reinterpret_cast<uintptr_t>(vectors.result);
  const uintptr_t b = reinterpret_cast<uintptr_t>(operand);
  const uintptr_t distance = a < b ? b - a : a - b;
  return distance > 0 && distance / sizeof(float) < static_cast<uintptr_t>(vectors.length);
}

int32_t check_operands(panoptim_vectors *vectors) {
  const struct {
    const char *name;
    bool missing;
  } operands[] = {
      {"x", !vectors->x},
      {"y", reads_y(*vectors) && !vectors->y},
      {"result", has_result(*vectors) && !vectors->result},
      {"sums", !has_result(*vectors) && !vectors->sums},
  };
  for (const auto &each : operands) {
    if (each.missing) {
      return fail(vectors, PANOPTIM_INVALID_ARGUMENT, "%s is NULL, but operation %d needs it", each.name,
                  vectors->operation);
    }
  }
  if (has_result(*vectors) &&
      (overlaps(*vectors, vectors->x) || (reads_y(*vectors) && overlaps(*vectors, vectors->y)))) {
    return fail(vectors, PANOPTIM_INVALID_ARGUMENT, "result overlaps a part of x or y");
  }
  return PANOPTIM_OK;
}

struct vector_work {
  const panoptim_vectors &vectors;
  const vector_kernels &kernels;

  // Works on the chunks that start in [begin, end).
  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    for (panoptim_int64 index = quotient_up(begin, chunk); index * chunk < end; index++) {
      const panoptim_int64 left = vectors.length - index * chunk;
      work_on(index, left < chunk ? left : chunk);
    }
  }

 private:
  void work_on(panoptim_int64 index, panoptim_int64 length) const {
    const panoptim_int64 start = index * chunk;
    switch (vectors.operation) {
      case PANOPTIM_VECTOR_DOT: vectors.sums[index] = kernels.dot(length, vectors.x + start, vectors.y + start); break;
      case PANOPTIM_VECTOR_SUM_ABSOLUTE: vectors.sums[index] = kernels.sum_absolute(length, vectors.x + start); break;
      case PANOPTIM_VECTOR_LARGEST:
        vectors.sums[index] = static_cast<double>(kernels.largest(length, vectors.x + start));
        break;
      case PANOPTIM_VECTOR_ADD:
        kernels.add(vectors.factor, length, vectors.x + start, vectors.y + start, vectors.result + start);
        break;
      default: kernels.scale(vectors.factor, length, vectors.x + start, vectors.result + start);
    }
  }
};

}  // namespace

int32_t check_vectors(panoptim_vectors *vectors) {
  if (const int32_t status = check_tier(vectors)) return status;
  if (const int32_t status = check_sharing(vectors)) return status;
  if (vectors->operation < 0 || vectors->operation >= PANOPTIM_VECTOR_OPERATIONS) {
    return fail(vectors, PANOPTIM_INVALID_ARGUMENT, "operation is %d, not 0 to %d", vectors->operation,
                PANOPTIM_VECTOR_OPERATIONS - 1);
  }
  if (vectors->length < 0) {
    return fail(vectors, PANOPTIM_INVALID_ARGUMENT, "length is %lld, not 0 or more", vectors->length);
  }
  return vectors->length > 0 ? check_operands(vectors) : PANOPTIM_OK;
}

void run_vectors(panoptim_vectors &vectors) {
  run_shared(vectors, vector_work{vectors, kernels_of(vectors.tier)->vectors});
}

void help_vectors(panoptim_vectors &vectors) {
  join_work(vectors, [&](auto take) { take(vector_work{vectors, kernels_of(vectors.tier)->vectors}); });
}
