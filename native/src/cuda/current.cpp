#include "cuda/current.h"

#include <stdio.h>

namespace {

// Functions of the driver, found by the runtime. The library is not linked with the driver, so it loads on machines
// without one.
struct driver {
  CUresult (*get_current)(CUcontext *context) = nullptr;
  CUresult (*set_current)(CUcontext context) = nullptr;
  cudaError_t said;

  driver() {
    said = find("cuCtxGetCurrent", &get_current);
    if (said == cudaSuccess) said = find("cuCtxSetCurrent", &set_current);
  }

 private:
  // Both exist since CUDA 4.0.
  template <class Function>
  static cudaError_t find(const char *name, Function *function) {
    cudaDriverEntryPointQueryResult found;
    void *address = nullptr;
    const cudaError_t said = cudaGetDriverEntryPointByVersion(name, &address, 4000, cudaEnableDefault, &found);
    *function = reinterpret_cast<Function>(address);
    return said == cudaSuccess && !address ? cudaErrorUnknown : said;
  }
};

const driver &loaded_driver() {
  static const driver loaded;
  return loaded;
}

}  // namespace

int32_t checked(cudaError_t said, const char *call, char *error) {
  if (said == cudaSuccess) return PANOPTIM_OK;
  cudaGetLastError();  // so that the next call does not find this error again
  snprintf(error, PANOPTIM_TEXT, "%s: %s (%s)", call, cudaGetErrorString(said), cudaGetErrorName(said));
  return PANOPTIM_CUDA_FAILED;
}

on_device::on_device(int32_t device, char *error) {
  status = checked(loaded_driver().said, "cudaGetDriverEntryPointByVersion", error);
  if (status) return;
  // If the driver is not initialised, there is no context.
  if (loaded_driver().get_current(&before_) != CUDA_SUCCESS) before_ = nullptr;
  status = checked(cudaSetDevice(device), "cudaSetDevice", error);
  if (status) loaded_driver().set_current(before_);
}

on_device::~on_device() {
  if (!status) loaded_driver().set_current(before_);
}
