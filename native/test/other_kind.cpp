// A library without Panoptim's functions.
extern "C" __attribute__((visibility("default"))) int answer() {
  return 42;
}
