// The header as the compiler sees it, for a test that holds the generated Java bindings against it: sizes, offsets and
// constants, a line each.
#include <cstddef>

#include "panoptim.h"

namespace {

struct entry {
  const char *name;
  long long value;
};

#define SIZE(type) \
  { #type, sizeof(type) }
#define OFFSET(type, field) \
  { #type "." #field, offsetof(type, field) }
#define CONSTANT(name) \
  { #name, name }

const entry entries[] = {
    SIZE(panoptim_coefficients),
    OFFSET(panoptim_coefficients, gradient_scale),
    OFFSET(panoptim_coefficients, weight_decay),
    OFFSET(panoptim_coefficients, first_decay),
    OFFSET(panoptim_coefficients, first_decay_rest),
    OFFSET(panoptim_coefficients, first_take),
    OFFSET(panoptim_coefficients, second_decay),
    OFFSET(panoptim_coefficients, second_decay_rest),
    OFFSET(panoptim_coefficients, second_take),
    OFFSET(panoptim_coefficients, nesterov_input),
    OFFSET(panoptim_coefficients, nesterov_moment),
    OFFSET(panoptim_coefficients, epsilon_inside),
    OFFSET(panoptim_coefficients, epsilon),
    OFFSET(panoptim_coefficients, divides),
    OFFSET(panoptim_coefficients, step_size),
    OFFSET(panoptim_coefficients, average_take),
    SIZE(panoptim_tensor),
    OFFSET(panoptim_tensor, parameter),
    OFFSET(panoptim_tensor, gradient),
    OFFSET(panoptim_tensor, state),
    OFFSET(panoptim_tensor, average),
    OFFSET(panoptim_tensor, half_precision),
    OFFSET(panoptim_tensor, length),
    OFFSET(panoptim_tensor, offset),
    OFFSET(panoptim_tensor, first_chunk),
    OFFSET(panoptim_tensor, coefficients),
    OFFSET(panoptim_tensor, published),
    SIZE(panoptim_plan),
    OFFSET(panoptim_plan, tensors),
    OFFSET(panoptim_plan, tensor_count),
    OFFSET(panoptim_plan, coefficients),
    OFFSET(panoptim_plan, coefficients_count),
    OFFSET(panoptim_plan, first_moment),
    OFFSET(panoptim_plan, nesterov),
    OFFSET(panoptim_plan, second_moment),
    OFFSET(panoptim_plan, unit_correction),
    OFFSET(panoptim_plan, sign),
    OFFSET(panoptim_plan, decay),
    OFFSET(panoptim_plan, clips),
    OFFSET(panoptim_plan, clip),
    OFFSET(panoptim_plan, averages),
    OFFSET(panoptim_plan, half_precision),
    OFFSET(panoptim_plan, zeroes),
    OFFSET(panoptim_plan, publish),
    OFFSET(panoptim_plan, publish_averages),
    OFFSET(panoptim_plan, tier),
    OFFSET(panoptim_plan, sharing),
    OFFSET(panoptim_plan, work),
    OFFSET(panoptim_plan, helping),
    OFFSET(panoptim_plan, publication),
    OFFSET(panoptim_plan, square_sums),
    OFFSET(panoptim_plan, share),
    OFFSET(panoptim_plan, taken),
    OFFSET(panoptim_plan, helped),
    OFFSET(panoptim_plan, error),
    SIZE(panoptim_description),
    OFFSET(panoptim_description, abi_version),
    OFFSET(panoptim_description, tier_available),
    OFFSET(panoptim_description, tier_reason),
    OFFSET(panoptim_description, compiler),
    SIZE(panoptim_cuda_device),
    OFFSET(panoptim_cuda_device, name),
    OFFSET(panoptim_cuda_device, major),
    OFFSET(panoptim_cuda_device, minor),
    OFFSET(panoptim_cuda_device, total_memory),
    OFFSET(panoptim_cuda_device, free_memory),
    SIZE(panoptim_cuda_decision),
    OFFSET(panoptim_cuda_decision, squares),
    OFFSET(panoptim_cuda_decision, norm),
    OFFSET(panoptim_cuda_decision, clip_factor),
    OFFSET(panoptim_cuda_decision, scale),
    OFFSET(panoptim_cuda_decision, skips),
    SIZE(panoptim_cuda_tile),
    OFFSET(panoptim_cuda_tile, row),
    OFFSET(panoptim_cuda_tile, index),
    SIZE(panoptim_cuda_plan),
    OFFSET(panoptim_cuda_plan, plan),
    OFFSET(panoptim_cuda_plan, tensors),
    OFFSET(panoptim_cuda_plan, chunk_rows),
    OFFSET(panoptim_cuda_plan, tiles),
    OFFSET(panoptim_cuda_plan, tile_count),
    OFFSET(panoptim_cuda_plan, coefficients),
    OFFSET(panoptim_cuda_plan, coefficients_room),
    OFFSET(panoptim_cuda_plan, decision),
    OFFSET(panoptim_cuda_plan, stream),
    OFFSET(panoptim_cuda_plan, device),
    OFFSET(panoptim_cuda_plan, begins),
    CONSTANT(PANOPTIM_ABI_VERSION),
    CONSTANT(PANOPTIM_OK),
    CONSTANT(PANOPTIM_INVALID_ARGUMENT),
    CONSTANT(PANOPTIM_UNSUPPORTED_TIER),
    CONSTANT(PANOPTIM_CUDA_FAILED),
    CONSTANT(PANOPTIM_THREADS_REFUSED),
    CONSTANT(PANOPTIM_OPENMP_THREADS),
    CONSTANT(PANOPTIM_TIER_BASELINE),
    CONSTANT(PANOPTIM_TIER_AVX2),
    CONSTANT(PANOPTIM_TIER_AVX512),
    CONSTANT(PANOPTIM_TIERS),
    CONSTANT(PANOPTIM_FIRST_MOMENT_NONE),
    CONSTANT(PANOPTIM_FIRST_MOMENT_OF_GRADIENT),
    CONSTANT(PANOPTIM_FIRST_MOMENT_OF_DIRECTION),
    CONSTANT(PANOPTIM_NESTEROV_NONE),
    CONSTANT(PANOPTIM_NESTEROV_NEW),
    CONSTANT(PANOPTIM_NESTEROV_OLD),
    CONSTANT(PANOPTIM_SECOND_MOMENT_NONE),
    CONSTANT(PANOPTIM_SECOND_MOMENT_RUNNING),
    CONSTANT(PANOPTIM_SECOND_MOMENT_MAXIMUM),
    CONSTANT(PANOPTIM_SECOND_MOMENT_CENTERED),
    CONSTANT(PANOPTIM_SECOND_MOMENT_RECTIFIED),
    CONSTANT(PANOPTIM_SECOND_MOMENT_INFINITY),
    CONSTANT(PANOPTIM_DECAY_NONE),
    CONSTANT(PANOPTIM_DECAY_L2),
    CONSTANT(PANOPTIM_DECAY_DECOUPLED),
    CONSTANT(PANOPTIM_HALF_PRECISION_NONE),
    CONSTANT(PANOPTIM_HALF_PRECISION_BFLOAT16),
    CONSTANT(PANOPTIM_HALF_PRECISION_FLOAT16),
    CONSTANT(PANOPTIM_PUBLISH_NONE),
    CONSTANT(PANOPTIM_PUBLISH_FLOAT32),
    CONSTANT(PANOPTIM_PUBLISH_BFLOAT16),
    CONSTANT(PANOPTIM_PUBLISH_FLOAT16),
    CONSTANT(PANOPTIM_CHUNK),
    CONSTANT(PANOPTIM_CLOSED),
    CONSTANT(PANOPTIM_ANNOUNCED),
    CONSTANT(PANOPTIM_OPEN),
    CONSTANT(PANOPTIM_MEMORY_PAGEABLE),
    CONSTANT(PANOPTIM_MEMORY_PINNED),
    CONSTANT(PANOPTIM_MEMORY_DEVICE),
    CONSTANT(PANOPTIM_MEMORY_MANAGED),
    CONSTANT(PANOPTIM_LANES),
    CONSTANT(PANOPTIM_TILE),
    CONSTANT(PANOPTIM_STATES),
    CONSTANT(PANOPTIM_TEXT),
};

}  // namespace

extern "C" PANOPTIM_API int layout_entries() {
  return sizeof entries / sizeof *entries;
}

extern "C" PANOPTIM_API const char *layout_name(int index) {
  return entries[index].name;
}

extern "C" PANOPTIM_API long long layout_value(int index) {
  return entries[index].value;
}
