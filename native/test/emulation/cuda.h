// The functions of CUDA's driver that the library uses, emulated: see cuda_runtime.h.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_H
#define PANOPTIM_TEST_EMULATION_CUDA_H

enum CUresult {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_NOT_INITIALIZED = 3,
  CUDA_ERROR_INVALID_CONTEXT = 201
};

enum CUpointer_attribute {
  CU_POINTER_ATTRIBUTE_MEMORY_TYPE = 2,
  CU_POINTER_ATTRIBUTE_IS_MANAGED = 8,
  CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL = 9,
  CU_POINTER_ATTRIBUTE_RANGE_START_ADDR = 11,
  CU_POINTER_ATTRIBUTE_RANGE_SIZE = 12,
  CU_POINTER_ATTRIBUTE_MAPPING_SIZE = 18,
  CU_POINTER_ATTRIBUTE_MAPPING_BASE_ADDR = 19
};

enum CUmemorytype { CU_MEMORYTYPE_HOST = 1, CU_MEMORYTYPE_DEVICE = 2, CU_MEMORYTYPE_UNIFIED = 4 };

using CUdeviceptr = unsigned long long;

using CUcontext = struct emulated_context *;

// The names of these functions in the driver, by which tests find them.
extern "C" {
__attribute__((visibility("default"))) CUresult cuCtxGetCurrent(CUcontext *context);
__attribute__((visibility("default"))) CUresult cuCtxSetCurrent(CUcontext context);
__attribute__((visibility("default"))) CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, int device);
__attribute__((visibility("default"))) CUresult cuCtxDestroy_v2(CUcontext context);
__attribute__((visibility("default"))) CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute *attributes,
                                                                       void **values, CUdeviceptr memory);
}

#endif
