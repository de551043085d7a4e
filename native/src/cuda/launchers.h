// The launchers of the compositions with one kind of decay. Each kind of decay has its own file, so that
// the files compile in parallel.
#ifndef PANOPTIM_CUDA_LAUNCHERS_H
#define PANOPTIM_CUDA_LAUNCHERS_H

#include <utility>

#include "cuda/step_work.h"
#include "rule/composition.h"

using launcher = cudaError_t (*)(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments);

// By kernel_of; NULL for compositions with another decay.
struct launcher_table {
  launcher at[kernel_count];
};

extern const launcher_table launchers_without_decay;
extern const launcher_table launchers_with_l2_decay;
extern const launcher_table launchers_with_decoupled_decay;

template <class Rule>
cudaError_t launch_rule(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments) {
  return launch(stream, blocks, step_work<Rule>(arguments));
}

template <int Decay, int Kernel>
constexpr launcher launcher_at() {
  constexpr int index = all_kernel_numbers.composition_of_kernel[Kernel];
  if constexpr (composition_at(index).decay == Decay) {
    return launch_rule<rule<index>>;
  } else {
    return nullptr;
  }
}

template <int Decay, int... Kernel>
constexpr launcher_table every_launcher(std::integer_sequence<int, Kernel...>) {
  return {{launcher_at<Decay, Kernel>()...}};
}

// The whole content of one such file.
#define PANOPTIM_CUDA_LAUNCHERS(name, decay) \
  extern const launcher_table name = every_launcher<decay>(std::make_integer_sequence<int, kernel_count>())

#endif
