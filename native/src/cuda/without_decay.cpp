// The steps without weight decay.
#include "cuda/launchers.h"

PANOPTIM_CUDA_LAUNCHERS(launchers_without_decay, PANOPTIM_DECAY_NONE);
