// Calls to CUDA: errors become a status and a text, and the calling thread's context is restored.
#ifndef PANOPTIM_CUDA_CURRENT_H
#define PANOPTIM_CUDA_CURRENT_H

#include <cuda.h>
#include <cuda_runtime.h>

#include "panoptim.h"

// Functions of the driver, found by the runtime. The library is not linked with the driver, so it loads on machines
// without one.
struct driver {
  CUresult (*get_current)(CUcontext *context) = nullptr;
  CUresult (*set_current)(CUcontext context) = nullptr;
  CUresult (*pointer_attributes)(unsigned count, CUpointer_attribute *attributes, void **values,
                                 CUdeviceptr memory) = nullptr;
  cudaError_t said;

  driver();

 private:
  // `version` is the first version of CUDA that has the function.
  template <class Function>
  static cudaError_t find(const char *name, unsigned version, Function *function);
};

const driver &loaded_driver();

// Writes the error text unless the call succeeded.
int32_t checked(cudaError_t said, const char *call, char *error);

// Makes the primary context of a device the thread's current context during the lifetime of this object. Then it
// restores the context of before, for other users of CUDA in this thread. CUDA's runtime could restore only the device,
// which would create a context on a device that had none.
class on_device {
 public:
  on_device(int32_t device, char *error);
  ~on_device();

  on_device(const on_device &) = delete;
  on_device &operator=(const on_device &) = delete;

  int32_t status;

 private:
  CUcontext before_ = nullptr;
};

#endif
