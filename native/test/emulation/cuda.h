// The functions of CUDA's driver that the library uses, emulated: see cuda_runtime.h.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_H
#define PANOPTIM_TEST_EMULATION_CUDA_H

enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_NOT_INITIALIZED = 3 };

using CUcontext = struct emulated_context *;

// The names of these functions in the driver, by which tests find them.
extern "C" {
__attribute__((visibility("default"))) CUresult cuCtxGetCurrent(CUcontext *context);
__attribute__((visibility("default"))) CUresult cuCtxSetCurrent(CUcontext context);
__attribute__((visibility("default"))) CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, int device);
__attribute__((visibility("default"))) CUresult cuCtxDestroy_v2(CUcontext context);
}

#endif
