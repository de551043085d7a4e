// A library with an ABI version that no bindings have.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int32_t panoptim_abi_version() {
  return 999;
}
