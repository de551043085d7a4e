// What the library uses of the driver, without one; see cuda_runtime.h.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_H
#define PANOPTIM_TEST_EMULATION_CUDA_H

enum CUresult { CUDA_SUCCESS = 0, CUDA_ERROR_NOT_INITIALIZED = 3 };

using CUcontext = struct emulated_context *;

#endif
