// The last additions of a sum over the elements of a chunk.
#ifndef PANOPTIM_RULE_SUM_OF_LANES_H
#define PANOPTIM_RULE_SUM_OF_LANES_H

#include "panoptim.h"
#include "rule/arithmetic.h"

// The sum of PANOPTIM_LANES sums, in halves: lane k + half is added to lane k, until one is left. Overwrites the sums.
PANOPTIM_FORMULA double sum_of_lanes(double *sums) {
  for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; lane++) sums[lane] += sums[lane + half];
  }
  return sums[0];
}

#endif
