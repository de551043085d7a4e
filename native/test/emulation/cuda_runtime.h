// The functions of CUDA that the library uses, emulated without a device. Device memory is host memory, and a stream is
// a list of enqueued operations. It is for tests of everything but the hardware.
//
// An operation runs only when a call waits for it, or for an operation that depends on it. So code that forgets to
// wait, or to order two streams, always computes wrong numbers. Allocated memory is filled with arbitrary bytes. Copies
// of 0 bytes are refused, as CUDA does not document them.
//
// Environment variables, with their defaults: PANOPTIM_EMULATED_DEVICES (1), PANOPTIM_EMULATED_MEMORY (bytes of each
// device, 1 GiB), PANOPTIM_EMULATED_CAPABILITY (ten times the compute capability, 75), PANOPTIM_EMULATED_DRIVER (CUDA's
// version of the driver, 13000; 0: there is no driver), PANOPTIM_EMULATED_RANGES (1; 0: the driver does not know the
// attributes of ranges), PANOPTIM_EMULATED_PACKED (1: small allocations are adjacent, as on a GPU; else they are apart,
// so that AddressSanitizer finds accesses beyond one), PANOPTIM_EMULATED_BLOCKS (1000: the blocks that the device runs
// at once).
//
// Tests call the exported functions emulated_... to count calls and to make them fail.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_RUNTIME_H
#define PANOPTIM_TEST_EMULATION_CUDA_RUNTIME_H

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorIllegalAddress = 700,
  cudaErrorUnknown = 999
};

enum cudaMemcpyKind { cudaMemcpyDefault = 4 };

enum cudaDriverEntryPointQueryResult { cudaDriverEntryPointSuccess = 0, cudaDriverEntryPointSymbolNotFound = 1 };

constexpr unsigned long long cudaEnableDefault = 0;
constexpr unsigned cudaHostAllocPortable = 1;
constexpr unsigned cudaEventDisableTiming = 2;

struct cudaDeviceProp {
  char name[256];
  int major;
  int minor;
};

using cudaStream_t = struct emulated_stream *;
using cudaEvent_t = struct emulated_event *;

const char *cudaGetErrorName(cudaError_t error);
const char *cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaRuntimeGetVersion(int *version);
cudaError_t cudaDriverGetVersion(int *version);
cudaError_t cudaGetDeviceCount(int *count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned version,
                                             unsigned long long flags, cudaDriverEntryPointQueryResult *found);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device);
cudaError_t cudaMemGetInfo(size_t *free, size_t *total);
cudaError_t cudaMalloc(void **memory, size_t bytes);
cudaError_t cudaFree(void *memory);
cudaError_t cudaHostAlloc(void **memory, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void *memory);
cudaError_t cudaStreamCreate(cudaStream_t *stream);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream);

// Enqueues an operation.
cudaError_t emulated_enqueue(cudaStream_t stream, std::function<void()> work);

// Functions for tests.
extern "C" {
// After `calls` more calls, the next one and all later ones fail with this error, as after a failure of a kernel.
// Enqueued operations no longer run. cudaSuccess ends this.
__attribute__((visibility("default"))) void emulated_fail(int64_t calls, cudaError_t error);
// The questions about addresses so far.
__attribute__((visibility("default"))) int64_t emulated_queries();
// The bytes of all copies from the host to devices so far, and of all copies from devices to the host.
__attribute__((visibility("default"))) int64_t emulated_bytes_up();
__attribute__((visibility("default"))) int64_t emulated_bytes_down();
}

#endif
