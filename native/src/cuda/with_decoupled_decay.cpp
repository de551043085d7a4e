// The steps with decoupled weight decay.
#include "cuda/launchers.h"

PANOPTIM_CUDA_LAUNCHERS(launchers_with_decoupled_decay, PANOPTIM_DECAY_DECOUPLED);
