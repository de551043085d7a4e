// The kernel of a composition that has not been checked.
#ifndef PANOPTIM_STEP_KERNEL_AT_H
#define PANOPTIM_STEP_KERNEL_AT_H

#include "rule/composition.h"
#include "step/kernel.h"

// Whether a number is from 0 to `count` - 1. One comparison is enough, because negative numbers become large ones.
constexpr bool is_below(int32_t value, int count) {
  return static_cast<uint32_t>(value) < static_cast<uint32_t>(count);
}

constexpr bool is_below(panoptim_int64 value, panoptim_int64 count) {
  return static_cast<unsigned long long>(value) < static_cast<unsigned long long>(count);
}

// NULL if the composition is unknown or illegal.
inline kernel kernel_at(const kernel_table &kernels, composition c) {
  bool known = true;
#define PANOPTIM_KNOWN(name, values) known &= is_below(c.name, values);
  PANOPTIM_AXES(PANOPTIM_KNOWN)
#undef PANOPTIM_KNOWN
  const int number = known ? kernel_of(c) : -1;
  return number < 0 ? nullptr : kernels.at[number];
}

#endif
