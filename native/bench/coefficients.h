// The coefficients of the measured steps: usual ones, for every composition.
#ifndef PANOPTIM_BENCH_COEFFICIENTS_H
#define PANOPTIM_BENCH_COEFFICIENTS_H

#include "panoptim.h"

namespace {

panoptim_coefficients usual_step() {
  panoptim_coefficients c{};
  c.gradient_scale = 1;
  c.weight_decay = 1e-5f;
  c.first_decay = 0.9f;
  c.first_take = 0.1f;
  c.second_decay = 0.999f;
  c.second_take = 0.001f;
  c.nesterov_input = 0.1f;
  c.nesterov_moment = 0.9f;
  c.epsilon_inside = 1e-10f;
  c.epsilon = 1e-8f;
  c.divides = 1;
  c.step_size = 1e-3f;
  c.average_take = 0.01f;
  return c;
}

}  // namespace

#endif
