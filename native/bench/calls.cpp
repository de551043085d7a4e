// A function that does next to nothing, to be called from Java in every way there is.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int64_t panoptim_successor(int64_t number) {
  return number + 1;
}

extern "C" __attribute__((visibility("default"))) int64_t panoptim_successor_at(const int64_t *number) {
  return *number + 1;
}

// By the name that the Java Native Interface looks for. It hands over its environment and the class, unused here.
extern "C" __attribute__((visibility("default"))) int64_t Java_dev_panoptim_bench_CallOverheadBenchmark_successorByJni(
    void *, void *, int64_t number) {
  return number + 1;
}
