// A library like an attacker's: its constructor writes a file, which tests look for.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

__attribute__((constructor)) void leave_mark() {
  const char *mark = std::getenv("PANOPTIM_TEST_MARK");
  std::FILE *file = mark == nullptr ? nullptr : std::fopen(mark, "w");
  if (file != nullptr) {
    std::fclose(file);
  }
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int32_t panoptim_abi_version() {
  return 666;
}
