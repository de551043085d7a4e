#include "cuda/step.h"

#include <utility>

namespace {

using launcher = cudaError_t (*)(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments);

template <class Rule>
cudaError_t launch_rule(cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments) {
  return launch(stream, blocks, step_work<Rule>(arguments));
}

template <int Index>
constexpr launcher launcher_at() {
  constexpr composition c = composition_at(Index);
  if constexpr (why_illegal(c) == nullptr) {
    return launch_rule<rule<c.first_moment, c.look_ahead, c.second_moment, c.unit_correction, c.sign, c.decay>>;
  } else {
    return nullptr;
  }
}

struct launcher_table {
  launcher at[compositions];
};

template <int... Index>
constexpr launcher_table every_launcher(std::integer_sequence<int, Index...>) {
  return {{launcher_at<Index>()...}};
}

constexpr launcher_table launchers = every_launcher(std::make_integer_sequence<int, compositions>());

}  // namespace

cudaError_t launch_step(composition rule, cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments) {
  return launchers.at[index_of(rule)](stream, blocks, arguments);
}
