// Contexts, memory and streams of a device. Linked as cuda_test.cpp is.
#include <dlfcn.h>

#include <thread>

#include "device_problem.h"

namespace {

// Calls a function of the driver, or of its emulation. This program is not linked with either under that name.
template <class... Arguments>
int call_driver(const char *name, Arguments... arguments) {
  void *function = dlsym(RTLD_DEFAULT, name);
  if (!function) function = dlsym(dlopen("libcuda.so.1", RTLD_NOW), name);
  CHECK(function, "the driver has no %s", name);
  return reinterpret_cast<int (*)(Arguments...)>(function)(arguments...);
}

void *current_context() {
  void *current = nullptr;
  CHECK(call_driver("cuCtxGetCurrent", &current) == 0, "the driver does not say");
  return current;
}

// All functions that make a context current, and calls of them that fail.
void use_device() {
  problem p({1, 0, 1, 0, 0, 2}, {5}, 1);
  problem expected(p);
  panoptim_plan plan = expected.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  device_problem moved(p);
  moved.step();
  CHECK(moved.has_bits_of(expected), "other bits");
  void *memory, *event;
  CHECK(panoptim_cuda_allocate(0, more_than_a_device_has, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK(panoptim_cuda_allocate(1000, 1, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK_OK(panoptim_cuda_create_event(0, &event, error));
  CHECK_OK(panoptim_cuda_destroy_event(0, event, error));
  panoptim_cuda_device described;
  CHECK_OK(panoptim_cuda_describe(0, &described, error));
}

}  // namespace

// The current context is the same after each call.
TEST(a_thread_s_context_is_left_as_it_was) {
  need_device();
  std::thread([] {
    use_device();
    CHECK(current_context() == nullptr, "there is a context where there was none");
    // Another context than the library's, on the same device.
    void *own = nullptr;
    CHECK(call_driver("cuCtxCreate_v2", &own, 0u, 0) == 0, "no context");
    use_device();
    CHECK(current_context() == own, "another context is current");
    CHECK(call_driver("cuCtxDestroy_v2", own) == 0, "not destroyed");
  }).join();
}

TEST(memory_is_where_it_was_allocated) {
  need_device();
  panoptim_cuda_range range;
  on_device<float> there(1000);
  CHECK_OK(panoptim_cuda_locate(there.get() + 999, &range, error));
  CHECK(range.kind == PANOPTIM_MEMORY_DEVICE && range.device == 0, "kind %d of device %d", range.kind, range.device);
  const panoptim_int64 address = static_cast<panoptim_int64>(reinterpret_cast<uintptr_t>(there.get()));
  CHECK(range.start <= address && range.bytes >= 4000, "%lld bytes from %llx on for address %llx", range.bytes,
        range.start, address);
  std::printf("%lld bytes, allocated as 4001, from %lld bytes before the address on\n", range.bytes,
              address - range.start);
  float here;
  CHECK_OK(panoptim_cuda_locate(&here, &range, error));
  CHECK(range.kind == PANOPTIM_MEMORY_PAGEABLE && range.device == -1, "kind %d of device %d", range.kind, range.device);
  void *pinned;
  CHECK_OK(panoptim_cuda_allocate_pinned(0, 4, &pinned, error));
  CHECK_OK(panoptim_cuda_locate(pinned, &range, error));
  CHECK(range.kind == PANOPTIM_MEMORY_PINNED, "kind %d of device %d", range.kind, range.device);
  CHECK_OK(panoptim_cuda_free_pinned(0, pinned, error));
}

// Such a driver is emulated; on hardware, this test shows nothing new.
TEST(memory_is_known_to_a_driver_that_knows_no_ranges) {
  need_device();
  setenv("PANOPTIM_EMULATED_RANGES", "0", 1);
  panoptim_cuda_range range;
  on_device<float> there(1000);
  CHECK_OK(panoptim_cuda_locate(there.get(), &range, error));
  CHECK(range.kind == PANOPTIM_MEMORY_DEVICE && range.device == 0, "kind %d of device %d", range.kind, range.device);
  float here;
  CHECK_OK(panoptim_cuda_locate(&here, &range, error));
  CHECK(range.kind == PANOPTIM_MEMORY_PAGEABLE && range.device == -1, "kind %d of device %d", range.kind, range.device);
  unsetenv("PANOPTIM_EMULATED_RANGES");
}

TEST(streams_follow_events) {
  need_device();
  void *first, *second, *event, *pinned;
  CHECK_OK(panoptim_cuda_create_stream(0, &first, error));
  CHECK_OK(panoptim_cuda_create_stream(0, &second, error));
  CHECK_OK(panoptim_cuda_create_event(0, &event, error));
  CHECK_OK(panoptim_cuda_allocate_pinned(0, 4, &pinned, error));
  on_device<uint32_t> there(1);
  CHECK_OK(panoptim_cuda_fill(0, first, there.get(), 0x11, 4, error));
  CHECK_OK(panoptim_cuda_record(0, event, first, error));
  CHECK_OK(panoptim_cuda_follow(0, second, event, error));
  CHECK_OK(panoptim_cuda_copy(0, second, pinned, there.get(), 4, error));
  CHECK_OK(panoptim_cuda_record(0, event, second, error));
  CHECK_OK(panoptim_cuda_await_event(0, event, error));
  CHECK(*static_cast<uint32_t *>(pinned) == 0x11111111u, "%x", *static_cast<uint32_t *>(pinned));
  CHECK_OK(panoptim_cuda_destroy_event(0, event, error));
  // The work of a stream is done when panoptim_cuda_destroy_stream returns.
  std::memset(pinned, 0, 4);
  CHECK_OK(panoptim_cuda_copy(0, first, pinned, there.get(), 4, error));
  CHECK_OK(panoptim_cuda_destroy_stream(0, first, error));
  CHECK(*static_cast<uint32_t *>(pinned) == 0x11111111u, "%x", *static_cast<uint32_t *>(pinned));
  CHECK_OK(panoptim_cuda_destroy_stream(0, second, error));
  CHECK_OK(panoptim_cuda_free_pinned(0, pinned, error));
}
