#include "cuda/step.h"

#include "cuda/launchers.h"

cudaError_t launch_step(composition rule, cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments) {
  const launcher_table &launchers = rule.decay == PANOPTIM_DECAY_NONE ? launchers_without_decay
                                    : rule.decay == PANOPTIM_DECAY_L2 ? launchers_with_l2_decay
                                                                      : launchers_with_decoupled_decay;
  return launchers.at[kernel_of(rule)](stream, blocks, arguments);
}
