// The compositions of a rule: their axes, their numbers, which of them are legal, and the states of each.
//
// A new axis, or a new value of one, is declared here. Loops, launchers, checks and tests follow from these
// declarations. An axis that only few optimizers need is legal only in their compositions: each line of `why_illegal`
// names a requirement of an axis. A table of kernels has an entry for each number, 8 bytes; only legal ones are
// compiled, at 1 to 2 KiB of code for each tier.
#ifndef PANOPTIM_RULE_COMPOSITION_H
#define PANOPTIM_RULE_COMPOSITION_H

#include "panoptim.h"

// AXIS(name, values): a field of panoptim_plan, from 0 to values - 1.
#define PANOPTIM_AXES(AXIS) \
  AXIS(first_moment, 3)     \
  AXIS(nesterov, 3)         \
  AXIS(second_moment, 6)    \
  AXIS(unit_correction, 2)  \
  AXIS(sign, 2)             \
  AXIS(decay, 3)

struct composition {
#define PANOPTIM_FIELD(name, values) int name;
  PANOPTIM_AXES(PANOPTIM_FIELD)
#undef PANOPTIM_FIELD
};

// The number of all compositions, illegal ones included.
#define PANOPTIM_FACTOR(name, values) *values
constexpr int compositions = 1 PANOPTIM_AXES(PANOPTIM_FACTOR);
#undef PANOPTIM_FACTOR

constexpr int index_of(composition c) {
  int index = 0;
#define PANOPTIM_DIGIT(name, values) index = index * values + c.name;
  PANOPTIM_AXES(PANOPTIM_DIGIT)
#undef PANOPTIM_DIGIT
  return index;
}

constexpr composition composition_at(int index) {
  composition c{};
  int weight = compositions;
#define PANOPTIM_DIGIT(name, values) \
  weight /= values;                  \
  c.name = index / weight % values;
  PANOPTIM_AXES(PANOPTIM_DIGIT)
#undef PANOPTIM_DIGIT
  return c;
}

constexpr composition composition_of(const panoptim_plan &plan) {
  composition c{};
#define PANOPTIM_COPY(name, values) c.name = plan.name;
  PANOPTIM_AXES(PANOPTIM_COPY)
#undef PANOPTIM_COPY
  return c;
}

// The reason why a composition is illegal; NULL for a legal one.
//
// A composition is legal exactly if some rule of Java's class Rule has it: Java's tests compare the two for every
// composition. Several rules may share a kernel with different coefficients, so Rule has additional conditions.
constexpr const char *why_illegal(composition c) {
  const bool has_first = c.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
  const bool has_second = c.second_moment != PANOPTIM_SECOND_MOMENT_NONE;
  if (c.nesterov && !has_first) return "nesterov needs a first moment";
  if (c.first_moment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION && !has_second) {
    return "a first moment of the direction needs a second moment";
  }
  if (c.nesterov == PANOPTIM_NESTEROV_OLD && c.second_moment == PANOPTIM_SECOND_MOMENT_RECTIFIED) {
    return "a rectified second moment needs bias correction, which nesterov from before the step rules out";
  }
  if (c.unit_correction &&
      (c.second_moment < PANOPTIM_SECOND_MOMENT_RUNNING || c.second_moment > PANOPTIM_SECOND_MOMENT_CENTERED)) {
    return "unit_correction needs a running second moment, its maximum or its centered form";
  }
  if (c.sign && has_second) return "sign makes a second moment pointless";
  return nullptr;
}

// The kinds of states, in the order of a tensor's array: Rule.stateNames() in Java.
enum state_kind { first_state, second_state, secondary_state, units_state, state_kinds };

constexpr bool has_state(composition c, int kind) {
  switch (kind) {
    case first_state: return c.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
    case second_state: return c.second_moment != PANOPTIM_SECOND_MOMENT_NONE;
    case secondary_state:  // the maximum, or the gradient's mean
      return c.second_moment == PANOPTIM_SECOND_MOMENT_MAXIMUM || c.second_moment == PANOPTIM_SECOND_MOMENT_CENTERED;
    case units_state: return c.unit_correction != 0;
    default: return false;
  }
}

// The index of a state among the states of a composition.
constexpr int place_of(composition c, int kind) {
  int place = 0;
  for (int before = 0; before < kind; before++) place += has_state(c, before);
  return place;
}

constexpr int states_of(composition c) {
  return place_of(c, state_kinds);
}

constexpr bool tensors_have_room_for_all_states() {
  for (int index = 0; index < compositions; index++) {
    const composition c = composition_at(index);
    if (index_of(c) != index || (!why_illegal(c) && states_of(c) > PANOPTIM_STATES)) return false;
  }
  return true;
}
static_assert(tensors_have_room_for_all_states(), "PANOPTIM_STATES is too small");

#endif
