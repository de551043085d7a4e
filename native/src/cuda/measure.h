// Starts the measures of a composition on a device.
#ifndef PANOPTIM_CUDA_MEASURE_H
#define PANOPTIM_CUDA_MEASURE_H

#include "cuda/measure_work.h"
#include "rule/composition.h"

// The composition must be legal.
cudaError_t launch_measure(composition rule, cudaStream_t stream, panoptim_int64 chunks,
                           const measure_arguments &arguments);

#endif
