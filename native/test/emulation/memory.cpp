#include <cstdlib>
#include <cstring>
#include <map>

#include "emulated_device.h"
#include "packed_memory.h"

namespace {

std::map<uintptr_t, allocation> allocations;
std::map<int, size_t> used;  // bytes of each device
packed_memory packed;

size_t memory_of_device() {
  return number_of("PANOPTIM_EMULATED_MEMORY", size_t{1} << 30);
}

size_t free_memory() {
  return memory_of_device() - used[current_device()];
}

bool is_packed(cudaMemoryType type, size_t bytes) {
  return type == cudaMemoryTypeDevice && bytes < (size_t{1} << 20) && number_of("PANOPTIM_EMULATED_PACKED", 0) == 1;
}

cudaError_t allocate(void **memory, size_t bytes, cudaMemoryType type) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (type == cudaMemoryTypeDevice && bytes > free_memory()) return cudaErrorMemoryAllocation;
  if (bytes == 0) {
    *memory = nullptr;
    return cudaSuccess;
  }
  *memory = is_packed(type, bytes) ? packed.allocate(bytes) : std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xa5, bytes);
  const uintptr_t start = reinterpret_cast<uintptr_t>(*memory);
  allocations[start] = {start, bytes, current_device(), type};
  if (type == cudaMemoryTypeDevice) used[current_device()] += bytes;
  return cudaSuccess;
}

cudaError_t release(void *memory, cudaMemoryType type) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
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

}  // namespace

const allocation *allocation_of(const void *memory) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(memory);
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin()) return nullptr;
  const allocation &before = (--after)->second;
  return address < before.start + before.bytes ? &before : nullptr;
}

cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  *total = memory_of_device();
  *free = free_memory();
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
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  const allocation *found = allocation_of(memory);
  attributes->type = found ? found->type : cudaMemoryTypeUnregistered;
  attributes->device = found ? found->device : -2;
  return cudaSuccess;
}
