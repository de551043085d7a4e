// Functions with almost no work, for measuring the different ways to call native code from Java.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int64_t panoptim_successor(int64_t number) {
  return number + 1;
}

extern "C" __attribute__((visibility("default"))) int64_t panoptim_successor_at(const int64_t *number) {
  return *number + 1;
}

// The name follows the rules of the Java Native Interface, which also passes its environment and the class.
extern "C" __attribute__((visibility("default"))) int64_t Java_dev_panoptim_bench_CallOverheadBenchmark_successorByJni(
    void *, void *, int64_t number) {
  return number + 1;
}
