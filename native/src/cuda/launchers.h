// The launchers of the compositions with one kind of decay. Each kind of decay has its own file, so that
// the files compile in parallel.
#ifndef PANOPTIM_CUDA_LAUNCHERS_H
#define PANOPTIM_CUDA_LAUNCHERS_H

#include <utility>

#include "cuda/step_work.h"
#include "rule/composition.h"

using launcher = cudaError_t (*)(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments);

// NULL for illegal compositions and those with another decay.
struct launcher_table {
  launcher at[compositions];
};

extern const launcher_table launchers_without_decay;
extern const launcher_table launchers_with_l2_decay;
extern const launcher_table launchers_with_decoupled_decay;

template <class Rule>
cudaError_t launch_rule(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments) {
  return launch(stream, blocks, step_work<Rule>(arguments));
}

template <int Decay, int Index>
constexpr launcher launcher_at() {
  constexpr composition c = composition_at(Index);
  if constexpr (c.decay == Decay && why_illegal(c) == nullptr) {
    return launch_rule<rule<Index>>;
  } else {
    return nullptr;
  }
}

template <int Decay, int... Index>
constexpr launcher_table every_launcher(std::integer_sequence<int, Index...>) {
  return {{launcher_at<Decay, Index>()...}};
}

// The whole content of one such file.
#define PANOPTIM_CUDA_LAUNCHERS(name, decay) \
  extern const launcher_table name = every_launcher<decay>(std::make_integer_sequence<int, compositions>())

#endif
