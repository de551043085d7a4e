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
// So work is plain C++, and tests run it without a device. A block may wait for others only where these find room on
// the device: see `blocks_at_once`.
#ifndef PANOPTIM_CUDA_LAUNCH_H
#define PANOPTIM_CUDA_LAUNCH_H

#include <cuda_runtime.h>

#include "panoptim.h"

#define PANOPTIM_DEVICE __host__ __device__ __forceinline__

// The threads that fit on a multiprocessor; compute capability 8.0 and 9.0 have room for more.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int threads_of_multiprocessor = 1024;
#else
constexpr int threads_of_multiprocessor = 1536;
#endif

template <class Work>
constexpr int blocks_of_multiprocessor() {
  constexpr int most = threads_of_multiprocessor / Work::threads;
  return Work::blocks < most ? Work::blocks : most;
}

template <class Work>
__global__ void __launch_bounds__(Work::threads, blocks_of_multiprocessor<Work>())
    run_on_device(const __grid_constant__ Work work) {
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

// The blocks of some work that run on an idle device at the same time.
template <class Work>
cudaError_t blocks_at_once(int device, int *count) {
  int blocks = 0;
  int multiprocessors = 0;
  cudaError_t said = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, run_on_device<Work>, Work::threads, 0);
  if (said == cudaSuccess) said = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  *count = blocks * multiprocessors;
  return said;
}

#endif
