// Which compositions there are, and where each has its place in a table.
#ifndef PANOPTIM_RULE_COMPOSITION_H
#define PANOPTIM_RULE_COMPOSITION_H

#include "panoptim.h"

struct composition {
  int first_moment;
  int nesterov;
  int second_moment;
  int unit_correction;
  int sign;
  int decay;
};

constexpr int first_moments = 3;
constexpr int nesterovs = 3;
constexpr int second_moments = 6;
constexpr int unit_corrections = 2;
constexpr int signs = 2;
constexpr int decays = 3;
constexpr int compositions = first_moments * nesterovs * second_moments * unit_corrections * signs * decays;

constexpr int index_of(composition c) {
  return ((((c.first_moment * nesterovs + c.nesterov) * second_moments + c.second_moment) * unit_corrections +
           c.unit_correction) *
              signs +
          c.sign) *
             decays +
         c.decay;
}

constexpr composition composition_at(int index) {
  composition c{};
  c.decay = index % decays;
  index /= decays;
  c.sign = index % signs;
  index /= signs;
  c.unit_correction = index % unit_corrections;
  index /= unit_corrections;
  c.second_moment = index % second_moments;
  index /= second_moments;
  c.nesterov = index % nesterovs;
  c.first_moment = index / nesterovs;
  return c;
}

// What a composition lacks; NULL where nothing, and it is legal.
constexpr const char *why_illegal(composition c) {
  const bool has_first = c.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
  const bool has_second = c.second_moment != PANOPTIM_SECOND_MOMENT_NONE;
  if (c.nesterov && !has_first) return "nesterov needs a first moment";
  if (c.first_moment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION && !has_second) {
    return "a first moment of the direction needs a second moment";
  }
  if (c.unit_correction &&
      (c.second_moment < PANOPTIM_SECOND_MOMENT_RUNNING || c.second_moment > PANOPTIM_SECOND_MOMENT_CENTERED)) {
    return "unit_correction needs a running second moment, its maximum or its centered form";
  }
  if (c.sign && has_second) return "sign makes a second moment pointless";
  return nullptr;
}

constexpr composition composition_of(const panoptim_plan &plan) {
  return {plan.first_moment, plan.nesterov, plan.second_moment, plan.unit_correction, plan.sign, plan.decay};
}

constexpr int states_of(composition c) {
  return (c.first_moment != PANOPTIM_FIRST_MOMENT_NONE) + (c.second_moment != PANOPTIM_SECOND_MOMENT_NONE) +
         (c.second_moment == PANOPTIM_SECOND_MOMENT_MAXIMUM || c.second_moment == PANOPTIM_SECOND_MOMENT_CENTERED) +
         c.unit_correction;
}

#endif
