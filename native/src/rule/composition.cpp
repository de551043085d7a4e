#include "rule/composition.h"

namespace {

const kernel_numbers numbers = all_kernel_numbers;

}  // namespace

int kernel_of(composition c) {
  return numbers.kernel_of_composition[index_of(c)];
}
