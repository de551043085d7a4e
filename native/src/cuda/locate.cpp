// The owner and the range of an address. The driver is asked directly: that needs no current context.
#include <string.h>

#include "cuda/current.h"
#include "panoptim.h"

namespace {

// What the driver says about an address. It leaves 0 what it does not know.
struct pointer {
  unsigned type = 0;
  unsigned managed = 0;
  int device = -1;
  CUdeviceptr start = 0;  // of the allocation, or of the reserved addresses
  size_t bytes = 0;
  CUdeviceptr mapping = 0;  // of reserved addresses that one piece of memory has been mapped to
  size_t mapped_bytes = 0;

  // A driver that does not know an attribute may refuse all attributes. The ranges are then unknown.
  CUresult ask(CUdeviceptr memory) {
    const CUresult said = ask(memory, attributes_with_ranges);
    return said == CUDA_ERROR_INVALID_VALUE ? ask(memory, attributes_without_ranges) : said;
  }

  static constexpr unsigned attributes_without_ranges = 3;
  static constexpr unsigned attributes_with_ranges = 7;

  CUresult ask(CUdeviceptr memory, unsigned count) {
    CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE,    CU_POINTER_ATTRIBUTE_IS_MANAGED,
                                        CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR,
                                        CU_POINTER_ATTRIBUTE_RANGE_SIZE,     CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR,
                                        CU_POINTER_ATTRIBUTE_MAPPING_SIZE};
    void *values[] = {&type, &managed, &device, &start, &bytes, &mapping, &mapped_bytes};
    static_assert(sizeof attributes / sizeof *attributes == attributes_with_ranges, "another number of attributes");
    return loaded_driver().pointer_attributes(count, attributes, values, memory);
  }

  int32_t kind() const {
    if (managed || type == CU_MEMORYTYPE_UNIFIED) return PANOPTIM_MEMORY_MANAGED;
    if (type == CU_MEMORYTYPE_DEVICE) return PANOPTIM_MEMORY_DEVICE;
    if (type == CU_MEMORYTYPE_HOST) return PANOPTIM_MEMORY_PINNED;
    return PANOPTIM_MEMORY_PAGEABLE;
  }

  // The range that surely has one owner: only a part of reserved addresses may be mapped.
  void limit(CUdeviceptr memory, panoptim_cuda_range *range) const {
    const auto holds = [memory](CUdeviceptr from, size_t size) { return from <= memory && memory - from < size; };
    if (!holds(start, bytes)) return;
    CUdeviceptr first = start;
    CUdeviceptr end = start + bytes;
    if (holds(mapping, mapped_bytes)) {
      if (mapping > first) first = mapping;
      if (mapping + mapped_bytes < end) end = mapping + mapped_bytes;
    }
    range->start = static_cast<panoptim_int64>(first);
    range->bytes = static_cast<panoptim_int64>(end - first);
  }
};

}  // namespace

int32_t panoptim_cuda_locate(const void *memory, panoptim_cuda_range *range, char *error) {
  if (const int32_t status = checked(loaded_driver().said, "cudaGetDriverEntryPointByVersion", error)) return status;
  const CUdeviceptr address = static_cast<CUdeviceptr>(reinterpret_cast<uintptr_t>(memory));
  pointer asked;
  const CUresult said = asked.ask(address);
  memset(range, 0, sizeof *range);
  range->kind = PANOPTIM_MEMORY_PAGEABLE;
  range->device = -1;
  // No context has allocated the memory. The driver's documentation names both errors for that, and also success.
  if (said == CUDA_ERROR_INVALID_VALUE || said == CUDA_ERROR_INVALID_CONTEXT) return PANOPTIM_OK;
  // The driver and the runtime have the same numbers of errors.
  if (const int32_t status = checked(static_cast<cudaError_t>(said), "cuPointerGetAttributes", error)) return status;
  range->kind = asked.kind();
  if (range->kind == PANOPTIM_MEMORY_PAGEABLE) return PANOPTIM_OK;
  range->device = asked.device;
  asked.limit(address, range);
  return PANOPTIM_OK;
}
