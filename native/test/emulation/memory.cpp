#include <cstdlib>
#include <cstring>
#include <map>

#include "emulated_device.h"
#include "packed_memory.h"

namespace {

std::map<uintptr_t, allocation> allocations;
std::map<int, size_t> used;  // bytes of each device
packed_memory packed;
int64_t queries;

size_t memory_of_device() {
  return number_of("PANOPTIM_EMULATED_MEMORY", size_t{1} << 30);
}

size_t free_memory() {
  return memory_of_device() - used[current_device()];
}

bool is_packed(CUmemorytype type, size_t bytes) {
  return type == CU_MEMORYTYPE_DEVICE && bytes < (size_t{1} << 20) && number_of("PANOPTIM_EMULATED_PACKED", 0) == 1;
}

cudaError_t allocate(void **memory, size_t bytes, CUmemorytype type) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (type == CU_MEMORYTYPE_DEVICE && bytes > free_memory()) return cudaErrorMemoryAllocation;
  if (bytes == 0) {
    *memory = nullptr;
    return cudaSuccess;
  }
  *memory = is_packed(type, bytes) ? packed.allocate(bytes) : std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xa5, bytes);
  const uintptr_t start = reinterpret_cast<uintptr_t>(*memory);
  allocations[start] = {start, bytes, current_device(), type};
  if (type == CU_MEMORYTYPE_DEVICE) used[current_device()] += bytes;
  return cudaSuccess;
}

cudaError_t release(void *memory, CUmemorytype type) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (!memory) return cudaSuccess;
  const auto found = allocations.find(reinterpret_cast<uintptr_t>(memory));
  if (found == allocations.end() || found->second.type != type) return cudaErrorInvalidValue;
  // Host memory is freed at once: CUDA does not promise to wait for copies.
  if (type == CU_MEMORYTYPE_DEVICE) run_all();
  const size_t bytes = found->second.bytes;
  if (type == CU_MEMORYTYPE_DEVICE) used[found->second.device] -= bytes;
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
  return allocate(memory, bytes, CU_MEMORYTYPE_DEVICE);
}

cudaError_t cudaFree(void *memory) {
  return release(memory, CU_MEMORYTYPE_DEVICE);
}

cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned) {
  return allocate(memory, bytes, CU_MEMORYTYPE_HOST);
}

cudaError_t cudaFreeHost(void *memory) {
  return release(memory, CU_MEMORYTYPE_HOST);
}

CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes, void **values, CUdeviceptr memory) {
  if (const cudaError_t broken = next_call()) return static_cast<CUresult>(broken);
  const emulation_lock lock(emulation_mutex);
  if (number_of("PANOPTIM_EMULATED_RANGES", 1) == 0) {
    for (unsigned i = 0; i < count; i++) {
      if (attributes[i] >= CU_POINTER_ATTRIBUTE_RANGE_START_ADDR) return CUDA_ERROR_INVALID_VALUE;
    }
  }
  queries++;
  const allocation *found = allocation_of(reinterpret_cast<const void *>(memory));
  const allocation none{};
  const allocation &of = found ? *found : none;
  for (unsigned i = 0; i < count; i++) {
    switch (attributes[i]) {
      case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: *static_cast<unsigned *>(values[i]) = of.type; break;
      case CU_POINTER_ATTRIBUTE_IS_MANAGED: *static_cast<unsigned *>(values[i]) = 0; break;
      case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *static_cast<int *>(values[i]) = found ? of.device : -2; break;
      case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: *static_cast<CUdeviceptr *>(values[i]) = of.start; break;
      case CU_POINTER_ATTRIBUTE_RANGE_SIZE: *static_cast<size_t *>(values[i]) = of.bytes; break;
      // No addresses are reserved for later mappings.
      case CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR: *static_cast<CUdeviceptr *>(values[i]) = 0; break;
      case CU_POINTER_ATTRIBUTE_MAPPING_SIZE: *static_cast<size_t *>(values[i]) = 0; break;
    }
  }
  return CUDA_SUCCESS;
}

int64_t emulated_queries() {
  const emulation_lock lock(emulation_mutex);
  return queries;
}
