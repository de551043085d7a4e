// Starts work on the emulated device: its threads one after the other, in the place of the library's cuda/launch.h.
#ifndef PANOPTIM_TEST_EMULATION_CUDA_LAUNCH_H
#define PANOPTIM_TEST_EMULATION_CUDA_LAUNCH_H

#include <cuda_runtime.h>

#include <cstdlib>
#include <memory>

#include "panoptim.h"

#define PANOPTIM_DEVICE inline

template <class Work>
cudaError_t launch(cudaStream_t stream, panoptim_int64 blocks, const Work &work) {
  if (blocks == 0) return cudaSuccess;
  return emulated_enqueue(stream, [work, blocks] {
    const auto shared = std::make_unique<typename Work::shared>();
    // The first block may wait for the others.
    for (panoptim_int64 block = blocks - 1; block >= 0; block--) {
      const int phases = work.phases(block);
      for (int phase = 0; phase < phases; phase++) {
        for (int thread = 0; thread < Work::threads; thread++) work(phase, block, thread, *shared);
      }
    }
  });
}

template <class Work>
cudaError_t blocks_at_once(int, int *count) {
  const char *text = std::getenv("PANOPTIM_EMULATED_BLOCKS");
  *count = text ? std::atoi(text) : 1000;
  return cudaSuccess;
}

#endif
