#include <cstdio>
#include <cstring>
#include <string>

#include "emulated_device.h"

namespace {

thread_local CUcontext current_context;  // NULL for none

// The primary context of a device is its number plus one. Other contexts add this to it.
constexpr uintptr_t not_primary = 1000;

CUcontext context_of(int device, uintptr_t kind = 0) {
  return reinterpret_cast<CUcontext>(static_cast<uintptr_t>(device) + 1 + kind);
}

constexpr int runtime_version = 13000;

int driver_version() {
  return static_cast<int>(number_of("PANOPTIM_EMULATED_DRIVER", runtime_version));
}

}  // namespace

int device_count() {
  return static_cast<int>(number_of("PANOPTIM_EMULATED_DEVICES", 1));
}

int current_device() {
  return current_context ? static_cast<int>((reinterpret_cast<uintptr_t>(current_context) - 1) % not_primary) : 0;
}

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

cudaError_t cudaRuntimeGetVersion(int *version) {
  *version = runtime_version;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
  *version = driver_version();
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count) {
  *count = 0;
  if (driver_version() / 1000 < runtime_version / 1000) return cudaErrorInsufficientDriver;
  *count = device_count();
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t broken = next_call()) return broken;
  if (device < 0 || device >= device_count()) return cudaErrorInvalidDevice;
  current_context = context_of(device);
  return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char *name, void **function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult *found) {
  *found = cudaDriverEntryPointSuccess;
  if (std::string(name) == "cuCtxGetCurrent") {
    *function = reinterpret_cast<void *>(cuCtxGetCurrent);
  } else if (std::string(name) == "cuCtxSetCurrent") {
    *function = reinterpret_cast<void *>(cuCtxSetCurrent);
  } else if (std::string(name) == "cuPointerGetAttributes") {
    *function = reinterpret_cast<void *>(cuPointerGetAttributes);
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
