// Starts work on a device.
//
// Work is an object that is copied to the device. Each thread of each block calls it:
//
//   struct some_work {
//     static constexpr int threads = 256;  // of a block
//     static constexpr int blocks = 4;     // that should fit on a multiprocessor at the same time
//     struct shared {};                    // the shared memory of a block
//     // All threads of a block end a phase before any begins the next.
//     PANOPTIM_DEVICE int phases(panoptim_int64 block) const;
//     PANOPTIM_DEVICE void operator()(int phase, panoptim_int64 block, int thread, shared &) const;
//   };
//
// Blocks begin in the order of their numbers. A block may wait for one with a higher number, which must not wait
// itself.
//
// So work is plain C++, and tests run it without a device.
#ifndef PANOPTIM_CUDA_LAUNCH_H
#define PANOPTIM_CUDA_LAUNCH_H

#include <cuda_runtime.h>

#include "panoptim.h"

#define PANOPTIM_DEVICE __host__ __device__ __forceinline__

template <class Work>
__global__ void __launch_bounds__(Work::threads, Work::blocks) run_on_device(const __grid_constant__ Work work) {
  __shared__ typename Work::shared shared;
  const int phases = work.phases(blockIdx.x);
  for (int phase = 0; phase < phases; phase++) {
    if (phase > 0) __syncthreads();
    work(phase, blockIdx.x, static_cast<int>(threadIdx.x), shared);
  }
}

template <class Work>
cudaError_t launch(cudaStream_t stream, panoptim_int64 blocks, const Work &work) {
  if (blocks == 0) return cudaSuccess;
  void *arguments[] = {const_cast<Work *>(&work)};
  return cudaLaunchKernel(reinterpret_cast<const void *>(run_on_device<Work>), dim3(static_cast<unsigned>(blocks)),
                          dim3(Work::threads), arguments, 0, stream);
}

#endif
