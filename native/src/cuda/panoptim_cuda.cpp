// The functions of the C ABI for GPUs: they check their arguments, then call CUDA.
#include <cuda_runtime.h>
#include <stdio.h>
#include <string.h>

#include <atomic>

#include "cuda/current.h"
#include "cuda/measure.h"
#include "cuda/norm_work.h"
#include "cuda/step.h"
#include "cuda/tiles.h"
#include "cuda/zero_work.h"
#include "fail.h"
#include "panoptim.h"
#include "step/check.h"

namespace {

// Calls CUDA while `device` is the current device.
template <class Call>
int32_t call_on(int32_t device, const char *name, char *error, Call call) {
  const on_device current(device, error);
  return current.status ? current.status : checked(call(), name, error);
}

cudaStream_t stream_of(void *stream) {
  return static_cast<cudaStream_t>(stream);
}

cudaEvent_t event_of(void *event) {
  return static_cast<cudaEvent_t>(event);
}

panoptim_int64 chunks_of(const panoptim_plan &plan) {
  if (plan.tensor_count == 0) return 0;
  const panoptim_tensor &last = plan.tensors[plan.tensor_count - 1];
  return last.first_chunk + last.length / PANOPTIM_CHUNK + (last.length % PANOPTIM_CHUNK != 0);
}

panoptim_int64 tiles_of(const panoptim_plan &plan) {
  panoptim_int64 count = 0;
  for (panoptim_int64 row = 0; row < plan.tensor_count; row++) {
    count += plan.tensors[row].length / tile + (plan.tensors[row].length % tile != 0);
  }
  return count;
}

// The most tiles and chunks of a plan: a launch has at most 2^31 - 1 blocks, and the launch of the norm has one block
// more than there are chunks.
constexpr panoptim_int64 most_blocks = 0x7ffffffe;

int32_t check(panoptim_cuda_plan *call) {
  panoptim_plan *plan = call->plan;
  if (const int32_t status = check_work(plan)) return status;
  if (call->tile_count != tiles_of(*plan) || call->tile_count > most_blocks || plan->tensor_count > most_blocks) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "the plan has %lld rows of %lld tiles, not %lld, and at most %lld",
                plan->tensor_count, tiles_of(*plan), call->tile_count, most_blocks);
  }
  if (call->tile_count > 0 && (!call->tensors || !call->chunk_rows || !call->tiles)) {
    return fail(plan, PANOPTIM_INVALID_ARGUMENT, "tensors, chunk_rows or tiles is NULL");
  }
  return PANOPTIM_OK;
}

// The lowest version of NVIDIA's driver that runs a version of CUDA: that of its first release, because newer releases
// of the same major version run on it too. See
// https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
const char *least_driver(int cuda) {
  switch (cuda / 1000) {
    case 11: return "450";
    case 12: return "525";
    case 13: return "580";
    default: return "of the same release";
  }
}

// Adds the needed driver to an error text, unless the installed driver is new enough.
void add_driver(char *error) {
  int needed = 0;
  int installed = 0;
  if (cudaRuntimeGetVersion(&needed) != cudaSuccess || cudaDriverGetVersion(&installed) != cudaSuccess) return;
  if (installed / 1000 >= needed / 1000) return;
  const auto minor = [](int version) { return version % 1000 / 10; };
  char driver[64] = "no driver is installed";
  if (installed > 0) {
    snprintf(driver, sizeof driver, "the installed driver is for CUDA %d.%d", installed / 1000, minor(installed));
  }
  const size_t length = strlen(error);
  snprintf(error + length, PANOPTIM_TEXT - length, "; CUDA %d.%d needs NVIDIA's driver %s or later, but %s",
           needed / 1000, minor(needed), least_driver(needed), driver);
}

// A step asks for this number, so it is kept for each device.
int32_t norm_blocks_at_once(int32_t device, int *count, char *error) {
  static std::atomic<int> known[64];
  const bool is_kept = static_cast<size_t>(device) < sizeof known / sizeof *known;
  *count = is_kept ? known[device].load(std::memory_order_relaxed) : 0;
  if (*count > 0) return PANOPTIM_OK;
  const cudaError_t said = blocks_at_once<square_sums_work>(device, count);
  if (said == cudaSuccess && is_kept) known[device].store(*count, std::memory_order_relaxed);
  return checked(said, "cudaOccupancyMaxActiveBlocksPerMultiprocessor", error);
}

// The lowest compute capability that the kernels are compiled for.
constexpr int least_major = 7;
constexpr int least_minor = 5;

// The properties of a device; fails if the kernels cannot run on it.
int32_t describe(int32_t device, cudaDeviceProp *properties, char *error) {
  const cudaError_t said = cudaGetDeviceProperties(properties, device);
  if (const int32_t status = checked(said, "cudaGetDeviceProperties", error)) return status;
  const bool capable =
      properties->major > least_major || (properties->major == least_major && properties->minor >= least_minor);
  if (capable) return PANOPTIM_OK;
  snprintf(error, PANOPTIM_TEXT, "GPU %d, %.100s, has compute capability %d.%d, but must have %d.%d or more", device,
           properties->name, properties->major, properties->minor, least_major, least_minor);
  return PANOPTIM_CUDA_FAILED;
}

// Sets where a launch finds the coefficients.
template <class Arguments>
int32_t set_coefficients(const panoptim_cuda_plan *call, Arguments &arguments) {
  panoptim_plan &plan = *call->plan;
  if (plan.coefficients_count <= PANOPTIM_CUDA_FEW) {
    memcpy(arguments.few, plan.coefficients, static_cast<size_t>(plan.coefficients_count) * sizeof *arguments.few);
  } else if (!call->coefficients) {
    return fail(&plan, PANOPTIM_INVALID_ARGUMENT, "coefficients_count is %lld, more than %d, but coefficients is NULL",
                plan.coefficients_count, PANOPTIM_CUDA_FEW);
  } else {
    arguments.coefficients = call->coefficients;
  }
  return PANOPTIM_OK;
}

}  // namespace

int32_t panoptim_cuda_abi_version(void) {
  return PANOPTIM_ABI_VERSION;
}

int32_t panoptim_cuda_devices(int32_t *count, char *error) {
  *count = 0;
  if (const int32_t status = checked(cudaGetDeviceCount(count), "cudaGetDeviceCount", error)) {
    add_driver(error);
    return status;
  }
  for (int32_t device = *count - 1; device >= 0; device--) {
    cudaDeviceProp properties;
    if (!describe(device, &properties, error)) return PANOPTIM_OK;
  }
  *count = 0;
  return PANOPTIM_CUDA_FAILED;
}

int32_t panoptim_cuda_describe(int32_t device, panoptim_cuda_device *description, char *error) {
  cudaDeviceProp properties;
  if (const int32_t status = describe(device, &properties, error)) return status;
  memset(description, 0, sizeof *description);
  snprintf(description->name, PANOPTIM_TEXT, "%s", properties.name);
  description->major = properties.major;
  description->minor = properties.minor;
  size_t free = 0;
  size_t total = 0;
  const int32_t status = call_on(device, "cudaMemGetInfo", error, [&] { return cudaMemGetInfo(&free, &total); });
  description->free_memory = static_cast<panoptim_int64>(free);
  description->total_memory = static_cast<panoptim_int64>(total);
  return status;
}

int32_t panoptim_cuda_allocate(int32_t device, panoptim_int64 bytes, void **memory, char *error) {
  return call_on(device, "cudaMalloc", error, [&] { return cudaMalloc(memory, static_cast<size_t>(bytes)); });
}

int32_t panoptim_cuda_free(int32_t device, void *memory, char *error) {
  return call_on(device, "cudaFree", error, [&] { return cudaFree(memory); });
}

int32_t panoptim_cuda_allocate_pinned(int32_t device, panoptim_int64 bytes, void **memory, char *error) {
  return call_on(device, "cudaHostAlloc", error,
                 [&] { return cudaHostAlloc(memory, static_cast<size_t>(bytes), cudaHostAllocPortable); });
}

int32_t panoptim_cuda_free_pinned(int32_t device, void *memory, char *error) {
  const on_device current(device, error);
  if (current.status) return current.status;
  // A copy may still be running.
  const int32_t status = checked(cudaDeviceSynchronize(), "cudaDeviceSynchronize", error);
  const int32_t freed = checked(cudaFreeHost(memory), "cudaFreeHost", error);
  return status ? status : freed;
}

int32_t panoptim_cuda_create_stream(int32_t device, void **stream, char *error) {
  return call_on(device, "cudaStreamCreate", error, [&] {
    cudaStream_t created;
    const cudaError_t said = cudaStreamCreate(&created);
    if (said == cudaSuccess) *stream = created;
    return said;
  });
}

int32_t panoptim_cuda_destroy_stream(int32_t device, void *stream, char *error) {
  const on_device current(device, error);
  if (current.status) return current.status;
  const int32_t status = checked(cudaStreamSynchronize(stream_of(stream)), "cudaStreamSynchronize", error);
  const int32_t destroyed = checked(cudaStreamDestroy(stream_of(stream)), "cudaStreamDestroy", error);
  return status ? status : destroyed;
}

int32_t panoptim_cuda_await(int32_t device, void *stream, char *error) {
  return call_on(device, "cudaStreamSynchronize", error, [&] { return cudaStreamSynchronize(stream_of(stream)); });
}

int32_t panoptim_cuda_create_event(int32_t device, void **event, char *error) {
  return call_on(device, "cudaEventCreate", error, [&] {
    cudaEvent_t created;
    const cudaError_t said = cudaEventCreateWithFlags(&created, cudaEventDisableTiming);
    if (said == cudaSuccess) *event = created;
    return said;
  });
}

int32_t panoptim_cuda_destroy_event(int32_t device, void *event, char *error) {
  return call_on(device, "cudaEventDestroy", error, [&] { return cudaEventDestroy(event_of(event)); });
}

int32_t panoptim_cuda_record(int32_t device, void *event, void *stream, char *error) {
  return call_on(device, "cudaEventRecord", error, [&] { return cudaEventRecord(event_of(event), stream_of(stream)); });
}

int32_t panoptim_cuda_await_event(int32_t device, void *event, char *error) {
  return call_on(device, "cudaEventSynchronize", error, [&] { return cudaEventSynchronize(event_of(event)); });
}

int32_t panoptim_cuda_follow(int32_t device, void *stream, void *event, char *error) {
  return call_on(device, "cudaStreamWaitEvent", error,
                 [&] { return cudaStreamWaitEvent(stream_of(stream), event_of(event), 0); });
}

int32_t panoptim_cuda_copy(int32_t device, void *stream, void *to, const void *from, panoptim_int64 bytes,
                           char *error) {
  return call_on(device, "cudaMemcpyAsync", error, [&] {
    return cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDefault, stream_of(stream));
  });
}

int32_t panoptim_cuda_fill(int32_t device, void *stream, void *memory, int32_t value, panoptim_int64 bytes,
                           char *error) {
  return call_on(device, "cudaMemsetAsync", error,
                 [&] { return cudaMemsetAsync(memory, value, static_cast<size_t>(bytes), stream_of(stream)); });
}

int32_t panoptim_cuda_add_squares(panoptim_cuda_plan *call, ...) {
  panoptim_plan &plan = *call->plan;
  if (int32_t status = check(call)) return status;
  if (int32_t status = check_sums(&plan)) return status;
  if (!call->decision) return fail(&plan, PANOPTIM_INVALID_ARGUMENT, "decision is NULL");
  const panoptim_int64 chunks = chunks_of(plan);
  const on_device current(call->device, plan.error);
  if (current.status) return current.status;
  const cudaStream_t stream = stream_of(call->stream);
  const size_t bytes = static_cast<size_t>(chunks) * sizeof(double);
  const cudaError_t filled =
      bytes == 0 ? cudaSuccess : cudaMemsetAsync(plan.square_sums, square_sums_work::pending, bytes, stream);
  if (int32_t status = checked(filled, "cudaMemsetAsync", plan.error)) return status;
  square_sums_work work{call->tensors,  call->chunk_rows,  chunks, plan.square_sums,
                        call->decision, call->begins != 0, 0};
  int at_once = 0;
  if (int32_t status = norm_blocks_at_once(call->device, &at_once, plan.error)) return status;
  return checked(work.enqueue(stream, at_once), "launching the sums of squares", plan.error);
}

int32_t panoptim_cuda_decide(int32_t device, void *stream, panoptim_cuda_decision *decision, double scale, double limit,
                             int32_t skips, panoptim_cuda_decision *copy, void *arrival, char *error) {
  const on_device current(device, error);
  if (current.status) return current.status;
  const decide_work work{decision, copy, scale, limit, skips != 0};
  if (int32_t status = checked(launch(stream_of(stream), 1, work), "launching the decision", error)) return status;
  return checked(cudaEventRecord(event_of(arrival), stream_of(stream)), "cudaEventRecord", error);
}

int32_t panoptim_cuda_zero_gradients(panoptim_cuda_plan *call, ...) {
  if (int32_t status = check(call)) return status;
  return call_on(call->device, "launching the zeros", call->plan->error, [&] {
    return launch(stream_of(call->stream), call->tile_count, zero_work{call->tensors, call->tiles});
  });
}

int32_t panoptim_cuda_measure(panoptim_cuda_plan *call, ...) {
  panoptim_plan &plan = *call->plan;
  if (int32_t status = check(call)) return status;
  if (int32_t status = check_measures(&plan)) return status;
  measure_arguments arguments{};
  if (int32_t status = set_coefficients(call, arguments)) return status;
  arguments.tensors = call->tensors;
  arguments.chunk_rows = call->chunk_rows;
  arguments.measures = plan.measures;
  arguments.clip = plan.clip;
  arguments.clips = plan.clips != 0;
  arguments.measured = plan.measured;
  const on_device current(call->device, plan.error);
  if (current.status) return current.status;
  const cudaError_t said = launch_measure(composition_of(plan), stream_of(call->stream), chunks_of(plan), arguments);
  return checked(said, "launching the measures", plan.error);
}

int32_t panoptim_cuda_step(panoptim_cuda_plan *call, ...) {
  panoptim_plan &plan = *call->plan;
  if (int32_t status = check(call)) return status;
  if (call->tile_count == 0) return PANOPTIM_OK;
  step_arguments arguments{};
  if (int32_t status = set_coefficients(call, arguments)) return status;
  arguments.tensors = call->tensors;
  arguments.tiles = call->tiles;
  arguments.decision = call->decision;
  arguments.clip = plan.clip;
  arguments.clips = plan.clips != 0;
  arguments.averages = plan.averages != 0;
  arguments.zeroes = plan.zeroes != 0;
  arguments.half_precision = plan.half_precision;
  const on_device current(call->device, plan.error);
  if (current.status) return current.status;
  const cudaError_t said = launch_step(composition_of(plan), stream_of(call->stream), call->tile_count, arguments);
  return checked(said, "launching the step", plan.error);
}
