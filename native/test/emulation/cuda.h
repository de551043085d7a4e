// What the library uses of the driver, without one; see cuda_runtime.h.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_H
#define PANOPTIM_TEST_EMULATION_CUDA_H

enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_NOT_INITIALIZED = 3 };

using CUcontext = struct emulated_context *;

// By these names in the driver, where tests too look for them.
extern "C" {
__attribute__((visibility("default"))) CUresult cuCtxGetCurrent(CUcontext *context);
__attribute__((visibility("default"))) CUresult cuCtxSetCurrent(CUcontext context);
__attribute__((visibility("default"))) CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, int device);
__attribute__((visibility("default"))) CUresult cuCtxDestroy_v2(CUcontext context);
}

#endif
