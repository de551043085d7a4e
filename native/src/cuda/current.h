// Calls to CUDA: what it says becomes a status and words, and the calling thread's context is left as it was.
#ifndef PANOPTIM_CUDA_CURRENT_H
#define PANOPTIM_CUDA_CURRENT_H

#include <cuda.h>
#include <cuda_runtime.h>

#include "panoptim.h"

// Writes the error where CUDA did not succeed.
int32_t checked(cudaError_t said, const char *call, char *error);

// Makes a device's primary context the thread's current one for as long as this lives; whoever else uses CUDA in this
// thread is not to notice. The runtime alone could only tell the device, and asking for that one again would make a
// context on it where there was none.
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
