#include <cuda_runtime.h>

#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "emulated_device.h"

namespace {

struct operation {
  uint64_t number;  // counted over all streams, in the order of their enqueueing
  std::function<void()> run;
};

struct queue {
  std::deque<operation> left;
};

// A position in a queue: after the operation with this number.
struct marker {
  std::shared_ptr<queue> in;
  uint64_t number = 0;
};

}  // namespace

struct emulated_stream {
  std::shared_ptr<queue> all = std::make_shared<queue>();
};

struct emulated_event {
  marker at;
};

namespace {

uint64_t operations;
emulated_stream default_stream;
std::set<emulated_stream *> streams;
std::set<emulated_event *> events;
std::vector<std::shared_ptr<queue>> orphans;  // of streams that were destroyed before their work was done
int64_t bytes_up;
int64_t bytes_down;

void run_up_to(queue &q, uint64_t number) {
  while (!q.left.empty() && q.left.front().number <= number) {
    const operation next = std::move(q.left.front());
    q.left.pop_front();
    // The default stream waits for all others, and they wait for it.
    if (&q == default_stream.all.get()) {
      for (emulated_stream *other : streams) run_up_to(*other->all, next.number);
      for (const auto &each : orphans) run_up_to(*each, next.number);
    } else {
      run_up_to(*default_stream.all, next.number);
    }
    next.run();
  }
}

emulated_stream *find(cudaStream_t stream) {
  if (!stream) return &default_stream;
  return streams.count(stream) ? stream : nullptr;
}

// Whether all bytes are in one allocation, or in none.
bool fits(const void *memory, size_t bytes) {
  const allocation *found = allocation_of(memory);
  return !found || bytes <= found->start + found->bytes - reinterpret_cast<uintptr_t>(memory);
}

bool is_on_device(const void *memory) {
  const allocation *found = allocation_of(memory);
  return found && found->type == CU_MEMORYTYPE_DEVICE;
}

bool is_pageable(const void *memory) {
  return !allocation_of(memory);
}

}  // namespace

void run_all() {
  run_up_to(*default_stream.all, operations);
  for (emulated_stream *each : streams) run_up_to(*each->all, operations);
  for (const auto &each : orphans) run_up_to(*each, operations);
  orphans.clear();
}

void drop_all() {
  default_stream.all->left.clear();
  for (emulated_stream *each : streams) each->all->left.clear();
  orphans.clear();
}

cudaError_t cudaDeviceSynchronize() {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  run_all();
  return cudaSuccess;
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  *stream = new emulated_stream;
  streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (!streams.count(stream)) return cudaErrorInvalidResourceHandle;
  orphans.push_back(stream->all);
  streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  emulated_stream *found = find(stream);
  if (!found) return cudaErrorInvalidResourceHandle;
  if (found == &default_stream) {
    run_all();
  } else {
    run_up_to(*found->all, operations);
  }
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (!events.count(event)) return cudaErrorInvalidResourceHandle;
  const marker at = event->at;
  return emulated_enqueue(stream, [at] {
    if (at.in) run_up_to(*at.in, at.number);
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  *event = new emulated_event;
  events.insert(*event);
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (!events.erase(event)) return cudaErrorInvalidResourceHandle;
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  emulated_stream *found = find(stream);
  if (!found || !events.count(event)) return cudaErrorInvalidResourceHandle;
  // So the event also waits for the streams that the default stream waits for.
  if (const cudaError_t said = emulated_enqueue(stream, [] {})) return said;
  event->at = {found->all, operations};
  return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (!events.count(event)) return cudaErrorInvalidResourceHandle;
  const marker at = event->at;
  if (at.in) run_up_to(*at.in, at.number);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (bytes == 0 || !fits(to, bytes) || !fits(from, bytes)) return cudaErrorInvalidValue;
  const cudaError_t said = emulated_enqueue(stream, [=] { std::memcpy(to, from, bytes); });
  if (!is_on_device(from) && is_on_device(to)) bytes_up += static_cast<int64_t>(bytes);
  if (is_on_device(from) && !is_on_device(to)) bytes_down += static_cast<int64_t>(bytes);
  // Pageable memory is copied before the call returns.
  if (said == cudaSuccess && (is_pageable(to) || is_pageable(from))) {
    run_up_to(*find(stream)->all, operations);
  }
  return said;
}

cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t stream) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  if (bytes == 0 || !fits(memory, bytes)) return cudaErrorInvalidValue;
  return emulated_enqueue(stream, [=] { std::memset(memory, value, bytes); });
}

cudaError_t emulated_enqueue(cudaStream_t stream, std::function<void()> work) {
  if (const cudaError_t broken = next_call()) return broken;
  const emulation_lock lock(emulation_mutex);
  emulated_stream *found = find(stream);
  if (!found) return cudaErrorInvalidResourceHandle;
  found->all->left.push_back({++operations, std::move(work)});
  return cudaSuccess;
}

int64_t emulated_bytes_up() {
  const emulation_lock lock(emulation_mutex);
  return bytes_up;
}

int64_t emulated_bytes_down() {
  const emulation_lock lock(emulation_mutex);
  return bytes_down;
}
