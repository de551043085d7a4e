// A library that has nothing to do with Panoptim.
extern "C" __attribute__((visibility("default"))) int answer() {
  return 42;
}
