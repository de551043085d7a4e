// The state of the emulated devices, for the files of the emulation.
#ifndef PANOPTIM_TEST_EMULATION_EMULATED_DEVICE_H
#define PANOPTIM_TEST_EMULATION_EMULATED_DEVICE_H

#include <cuda.h>
#include <cuda_runtime.h>

#include <mutex>

extern std::recursive_mutex emulation_mutex;
using emulation_lock = std::lock_guard<std::recursive_mutex>;

// Counts a call. Returns the error that every call returns after a failure, or cudaSuccess.
cudaError_t next_call();

// The number of an environment variable.
size_t number_of(const char *variable, size_t otherwise);

int device_count();
int current_device();

struct allocation {
  uintptr_t start;
  size_t bytes;
  int device;
  CUmemorytype type;
};

// The allocation that contains an address; NULL if there is none.
const allocation *allocation_of(const void *memory);

// Runs all enqueued operations.
void run_all();

// Enqueued operations will never run.
void drop_all();

#endif
