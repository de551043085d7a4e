// The steps with L2 decay.
#include "cuda/launchers.h"

PANOPTIM_CUDA_LAUNCHERS(launchers_with_l2_decay, PANOPTIM_DECAY_L2);
