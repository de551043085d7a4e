// A moment: state = decay * state + a * b, whatever the names of its coefficients make of it.
#ifndef PANOPTIM_RULE_MOMENT_H
#define PANOPTIM_RULE_MOMENT_H

#include "rule/arithmetic.h"

PANOPTIM_FORMULA float accumulate(float decay, float decay_rest, float state, float a, float b) {
  return fused_multiply_add(decay, state, fused_multiply_add(a, b, decay_rest * state));
}

#endif
