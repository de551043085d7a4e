// Steps that decay no weights.
#include "cuda/launchers.h"

PANOPTIM_CUDA_LAUNCHERS(launchers_without_decay, PANOPTIM_DECAY_NONE);
