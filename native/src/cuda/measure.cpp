// The launchers of the measures.
#include "cuda/measure.h"

namespace {

using measure_launcher = cudaError_t (*)(cudaStream_t stream, panoptim_int64 chunks,
                                         const measure_arguments &arguments);

template <class Rule>
cudaError_t launch_measure_of(cudaStream_t stream, panoptim_int64 chunks, const measure_arguments &arguments) {
  return launch(stream, chunks, measure_work<Rule>(arguments));
}

template <int Kernel>
constexpr measure_launcher measure_launcher_at() {
  constexpr int index = all_kernel_numbers.composition_of_kernel[Kernel];
  if constexpr (index == 0 || has_formula_to_measure(composition_at(index))) {
    return launch_measure_of<rule<index>>;
  } else {
    return nullptr;
  }
}

// By kernel_of.
struct measure_launchers {
  measure_launcher at[kernel_count];
};

template <int... Kernel>
constexpr measure_launchers every_measure_launcher(std::integer_sequence<int, Kernel...>) {
  return {{measure_launcher_at<Kernel>()...}};
}

constexpr measure_launchers launchers = every_measure_launcher(std::make_integer_sequence<int, kernel_count>());

}  // namespace

cudaError_t launch_measure(composition rule, cudaStream_t stream, panoptim_int64 chunks,
                           const measure_arguments &arguments) {
  return launchers.at[kernel_of(composition_with_formula(rule))](stream, chunks, arguments);
}
