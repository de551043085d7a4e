#include "cuda/current.h"

#include <stdio.h>

driver::driver() {
  said = find("cuCtxGetCurrent", 4000, &get_current);
  if (said == cudaSuccess) said = find("cuCtxSetCurrent", 4000, &set_current);
  if (said == cudaSuccess) said = find("cuPointerGetAttributes", 7000, &pointer_attributes);
}

template <class Function>
cudaError_t driver::find(const char *name, unsigned version, Function *function) {
  cudaDriverEntryPointQueryResult found;
  void *address = nullptr;
  const cudaError_t said = cudaGetDriverEntryPointByVersion(name, &address, version, cudaEnableDefault, &found);
  *function = reinterpret_cast<Function>(address);
  return said == cudaSuccess && !address ? cudaErrorUnknown : said;
}

const driver &loaded_driver() {
  static const driver loaded;
  return loaded;
}

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
