#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "packed_memory.h"

namespace {

struct operation {
  uint64_t number;  // counted over all streams, in the order of their enqueueing
  std::function<void()> run;
};

struct queue {
  std::deque<operation> left;
};

// A position in a queue: after the operation with this number.
struct marker {
  std::shared_ptr<queue> in;
  uint64_t number = 0;
};

struct allocation {
  size_t bytes;
  int device;
  cudaMemoryType type;
};

}  // namespace

struct emulated_stream {
  std::shared_ptr<queue> all = std::make_shared<queue>();
};

struct emulated_event {
  marker at;
};

namespace {

std::recursive_mutex mutex;
uint64_t operations;
emulated_stream default_stream;
std::set<emulated_stream *> streams;
std::set<emulated_event *> events;
std::map<uintptr_t, allocation> allocations;
std::map<int, size_t> used;                   // bytes of each device
std::vector<std::shared_ptr<queue>> orphans;  // of streams that were destroyed before their work was done
thread_local CUcontext current_context;       // NULL for none

// The primary context of a device is its number plus one. Other contexts add this to it.
constexpr uintptr_t not_primary = 1000;

int current_device() {
  return current_context ? static_cast<int>((reinterpret_cast<uintptr_t>(current_context) - 1) % not_primary) : 0;
}

CUcontext context_of(int device, uintptr_t kind = 0) {
  return reinterpret_cast<CUcontext>(static_cast<uintptr_t>(device) + 1 + kind);
}

size_t number_of(const char *variable, size_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

int device_count() {
  return static_cast<int>(number_of("PANOPTIM_EMULATED_DEVICES", 1));
}

size_t memory_of_device() {
  return number_of("PANOPTIM_EMULATED_MEMORY", size_t{1} << 30);
}

void run_up_to(queue &q, uint64_t number) {
  while (!q.left.empty() && q.left.front().number <= number) {
    const operation next = std::move(q.left.front());
    q.left.pop_front();
    // The default stream waits for all others, and they wait for it.
    if (&q == default_stream.all.get()) {
      for (emulated_stream *other : streams) run_up_to(*other->all, next.number);
      for (const auto &each : orphans) run_up_to(*each, next.number);
    } else {
      run_up_to(*default_stream.all, next.number);
    }
    next.run();
  }
}

void run_all() {
  run_up_to(*default_stream.all, operations);
  for (emulated_stream *each : streams) run_up_to(*each->all, operations);
  for (const auto &each : orphans) run_up_to(*each, operations);
  orphans.clear();
}

emulated_stream *find(cudaStream_t stream) {
  if (!stream) return &default_stream;
  return streams.count(stream) ? stream : nullptr;
}

// The allocation of an address.
const allocation *find(const void *memory, size_t *left = nullptr) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin()) return nullptr;
  --after;
  if (address >= after->first + after->second.bytes) return nullptr;
  if (left) *left = after->first + after->second.bytes - address;
  return &after->second;
}

packed_memory packed;

bool is_packed(cudaMemoryType type, size_t bytes) {
  return type == cudaMemoryTypeDevice && bytes < (size_t{1} << 20) && number_of("PANOPTIM_EMULATED_PACKED", 0) == 1;
}

cudaError_t allocate(void **memory, size_t bytes, cudaMemoryType type) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (type == cudaMemoryTypeDevice) {
    size_t free, total;
    cudaMemGetInfo(&free, &total);
    if (bytes > free) return cudaErrorMemoryAllocation;
  }
  if (bytes == 0) {
    *memory = nullptr;
    return cudaSuccess;
  }
  *memory = is_packed(type, bytes) ? packed.allocate(bytes) : std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xa5, bytes);
  allocations[reinterpret_cast<uintptr_t>(*memory)] = {bytes, current_device(), type};
  if (type == cudaMemoryTypeDevice) used[current_device()] += bytes;
  return cudaSuccess;
}

cudaError_t release(void *memory, cudaMemoryType type) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!memory) return cudaSuccess;
  const auto found = allocations.find(reinterpret_cast<uintptr_t>(memory));
  if (found == allocations.end() || found->second.type != type) return cudaErrorInvalidValue;
  // Host memory is freed at once: CUDA does not promise to wait for copies.
  if (type == cudaMemoryTypeDevice) run_all();
  const size_t bytes = found->second.bytes;
  if (type == cudaMemoryTypeDevice) used[found->second.device] -= bytes;
  allocations.erase(found);
  if (is_packed(type, bytes)) {
    packed.release(memory, bytes);
  } else {
    std::free(memory);
  }
  return cudaSuccess;
}

// Whether all bytes are in one allocation, or in none.
bool fits(const void *memory, size_t bytes) {
  size_t left = 0;
  return !find(memory, &left) || bytes <= left;
}

bool is_pageable(const void *memory) {
  return !find(memory);
}

}  // namespace

CUresult cuCtxGetCurrent(CUcontext *context) {
  *context = current_context;
  return CUDA_SUCCESS;
}

CUresult cuCtxSetCurrent(CUcontext context) {
  current_context = context;
  return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *context, unsigned, int device) {
  *context = current_context = context_of(device, not_primary);
  return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext context) {
  if (current_context == context) current_context = nullptr;
  return CUDA_SUCCESS;
}

const char *cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorUnknown: return "cudaErrorUnknown";
  }
  return "unrecognized error code";
}

const char *cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInvalidValue: return "invalid argument";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorInvalidDevice: return "invalid device ordinal";
    case cudaErrorInvalidResourceHandle: return "invalid resource handle";
    case cudaErrorUnknown: return "unknown error";
  }
  return "unrecognized error code";
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = device_count();
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= device_count()) return cudaErrorInvalidDevice;
  current_context = context_of(device);
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  run_all();
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult *found) {
  *found = cudaDriverEntryPointSuccess;
  if (std::string(name) == "cuCtxGetCurrent") {
    *function = reinterpret_cast<void *>(cuCtxGetCurrent);
  } else if (std::string(name) == "cuCtxSetCurrent") {
    *function = reinterpret_cast<void *>(cuCtxSetCurrent);
  } else {
    *found = cudaDriverEntryPointSymbolNotFound;
  }
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
  if (device < 0 || device >= device_count()) return cudaErrorInvalidDevice;
  std::memset(properties, 0, sizeof *properties);
  const int capability = static_cast<int>(number_of("PANOPTIM_EMULATED_CAPABILITY", 75));
  properties->major = capability / 10;
  properties->minor = capability % 10;
  std::snprintf(properties->name, sizeof properties->name, "an emulated device");
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  *total = memory_of_device();
  *free = *total - used[current_device()];
  return cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t bytes) {
  return allocate(memory, bytes, cudaMemoryTypeDevice);
}

cudaError_t cudaFree(void *memory) {
  return release(memory, cudaMemoryTypeDevice);
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned) {
  return allocate(memory, bytes, cudaMemoryTypeHost);
}

cudaError_t cudaFreeHost(void *memory) {
  return release(memory, cudaMemoryTypeHost);
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes *attributes, const void *memory) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  const allocation *found = find(memory);
  attributes->type = found ? found->type : cudaMemoryTypeUnregistered;
  attributes->device = found ? found->device : -2;
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  *stream = new emulated_stream;
  streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!streams.count(stream)) return cudaErrorInvalidResourceHandle;
  orphans.push_back(stream->all);
  streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  emulated_stream *found = find(stream);
  if (!found) return cudaErrorInvalidResourceHandle;
  if (found == &default_stream) {
    run_all();
  } else {
    run_up_to(*found->all, operations);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!events.count(event)) return cudaErrorInvalidResourceHandle;
  const marker at = event->at;
  return emulated_enqueue(stream, [at] {
    if (at.in) run_up_to(*at.in, at.number);
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  *event = new emulated_event;
  events.insert(*event);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!events.erase(event)) return cudaErrorInvalidResourceHandle;
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  emulated_stream *found = find(stream);
  if (!found || !events.count(event)) return cudaErrorInvalidResourceHandle;
  // So the event also waits for the streams that the default stream waits for.
  emulated_enqueue(stream, [] {});
  event->at = {found->all, operations};
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!events.count(event)) return cudaErrorInvalidResourceHandle;
  const marker at = event->at;
  if (at.in) run_up_to(*at.in, at.number);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (bytes == 0 || !fits(to, bytes) || !fits(from, bytes)) return cudaErrorInvalidValue;
  const cudaError_t said = emulated_enqueue(stream, [=] {
    std::memcpy(to, from, bytes);
  });
  // Pageable memory is copied before the call returns.
  if (said == cudaSuccess && (is_pageable(to) || is_pageable(from))) {
    run_up_to(*find(stream)->all, operations);
  }
  return said;
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  if (bytes == 0 || !fits(memory, bytes)) return cudaErrorInvalidValue;
  return emulated_enqueue(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t emulated_enqueue(cudaStream_t stream, std::function<void()> work) {
  const std::lock_guard<std::recursive_mutex> lock(mutex);
  emulated_stream *found = find(stream);
  if (!found) return cudaErrorInvalidResourceHandle;
  found->all->left.push_back({++operations, std::move(work)});
  return cudaSuccess;
}
