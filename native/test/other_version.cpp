// A library that speaks a version of the ABI that no Java class was made for.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int32_t panoptim_abi_version() {
  return 999;
}
