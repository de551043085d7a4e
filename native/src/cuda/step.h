// Starts the step of a composition on a device.
#ifndef PANOPTIM_CUDA_STEP_H
#define PANOPTIM_CUDA_STEP_H

#include "cuda/step_work.h"
#include "rule/composition.h"

// The composition must be legal.
cudaError_t launch_step(composition rule, cudaStream_t stream, panoptim_int64 blocks, const step_arguments &arguments);

#endif
