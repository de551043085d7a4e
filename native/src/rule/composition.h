// The compositions of a rule: their axes, their numbers, which of them are legal, and the states of each.
//
// A new axis, or a new value of one, is declared here. Loops, launchers, checks and tests follow from these
// declarations. An axis that only few optimizers need is legal only in their compositions: the `why_illegal` functions
// state the requirements of each axis. Only legal compositions are compiled. Each of them takes 1 to 2 KiB of code and
// an entry of the table of kernels in each tier. Each composition, legal or not, takes 2 bytes of `kernel_numbers`.
#ifndef PANOPTIM_RULE_COMPOSITION_H
#define PANOPTIM_RULE_COMPOSITION_H

#include "panoptim.h"

// AXIS(name, values): a field of panoptim_plan, from 0 to values - 1.
#define PANOPTIM_AXES(AXIS) \
  AXIS(first_moment, 3)     \
  AXIS(nesterov, 3)         \
  AXIS(second_moment, 11)   \
  AXIS(unit_correction, 2)  \
  AXIS(sign, 2)             \
  AXIS(decay, 3)            \
  AXIS(history, 4)          \
  AXIS(update, 6)

struct composition {
#define PANOPTIM_FIELD(name, values) int name = 0;
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

// The following functions return the reason why a composition is illegal, for one axis each, or NULL.

constexpr const char *why_illegal_second_moment(composition c) {
  const bool of_gradient = c.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT;
  switch (c.second_moment) {
    case PANOPTIM_SECOND_MOMENT_RECTIFIED:
      return c.nesterov == PANOPTIM_NESTEROV_OLD
                 ? "a rectified second moment needs bias correction, which nesterov from before the step rules out"
                 : nullptr;
    case PANOPTIM_SECOND_MOMENT_BELIEF:
    case PANOPTIM_SECOND_MOMENT_SIGNED:
      return of_gradient && !c.nesterov ? nullptr
                                        : "a belief or signed second moment needs a first moment of the gradient, "
                                          "and no nesterov";
    case PANOPTIM_SECOND_MOMENT_DELAYED:
      return c.first_moment == PANOPTIM_FIRST_MOMENT_OF_DIRECTION && !c.nesterov
                 ? nullptr
                 : "a delayed second moment needs a first moment of the direction, and no nesterov";
    case PANOPTIM_SECOND_MOMENT_CURVATURE:
      return of_gradient && !c.nesterov && c.decay != PANOPTIM_DECAY_L2
                 ? nullptr
                 : "curvature needs a first moment of the gradient, no nesterov and no L2 decay";
    case PANOPTIM_SECOND_MOMENT_MIXED:
      return of_gradient && c.nesterov == PANOPTIM_NESTEROV_NEW
                 ? nullptr
                 : "a mixed second moment needs a first moment of the gradient that is mixed too";
    default: return nullptr;
  }
}

constexpr const char *why_illegal_history(composition c) {
  if (c.history == PANOPTIM_HISTORY_NONE) return nullptr;
  return c.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT && !c.nesterov && !c.unit_correction &&
                 c.second_moment == PANOPTIM_SECOND_MOMENT_RUNNING && c.decay != PANOPTIM_DECAY_L2
             ? nullptr
             : "history needs a first moment of the gradient, a running second moment, and no nesterov, "
               "unit_correction or L2 decay";
}

constexpr const char *why_illegal_update(composition c) {
  const bool runs = c.second_moment == PANOPTIM_SECOND_MOMENT_RUNNING;
  const bool runs_or_none = runs || c.second_moment == PANOPTIM_SECOND_MOMENT_NONE;
  const bool stateless = !c.first_moment && !c.second_moment && !c.sign;
  switch (c.update) {
    case PANOPTIM_UPDATE_CAUTIOUS:
      return c.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT && runs_or_none && !c.unit_correction && !c.history
                 ? nullptr
                 : "a cautious update needs a first moment of the gradient, a running second moment or none, and no "
                   "unit_correction or history";
    case PANOPTIM_UPDATE_AVERAGED:
      return stateless && c.decay != PANOPTIM_DECAY_L2 ? nullptr
                                                       : "an averaged update has no moments, sign or L2 decay";
    case PANOPTIM_UPDATE_SIGN_STEPS:
      return stateless && !c.decay ? nullptr : "sign steps have no moments, sign or decay";
    case PANOPTIM_UPDATE_PROXIMAL:
      return !c.first_moment && runs && !c.unit_correction && !c.decay
                 ? nullptr
                 : "a proximal update needs a running second moment, and no first moment, unit_correction or decay";
    case PANOPTIM_UPDATE_SCHEDULE_FREE:
      return !c.first_moment && runs_or_none && !c.unit_correction && !c.sign && c.decay != PANOPTIM_DECAY_L2
                 ? nullptr
                 : "a schedule-free update needs a running second moment or none, and no first moment, "
                   "unit_correction, sign or L2 decay";
    default: return nullptr;
  }
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
  if (c.unit_correction &&
      (c.second_moment < PANOPTIM_SECOND_MOMENT_RUNNING || c.second_moment > PANOPTIM_SECOND_MOMENT_CENTERED)) {
    return "unit_correction needs a running second moment, its maximum or its centered form";
  }
  if (c.sign && has_second) return "sign makes a second moment pointless";
  if (const char *why = why_illegal_second_moment(c)) return why;
  if (const char *why = why_illegal_history(c)) return why;
  return why_illegal_update(c);
}

constexpr int count_legal_compositions() {
  int count = 0;
  for (int index = 0; index < compositions; index++) count += why_illegal(composition_at(index)) == nullptr;
  return count;
}

// The number of legal compositions; each tier has a kernel for each of them.
constexpr int kernel_count = count_legal_compositions();

// The indexes of the legal compositions, in ascending order, and the reverse: the kernel's number for the index of each
// composition, or -1 for an illegal one.
struct kernel_numbers {
  int composition_of_kernel[kernel_count];
  int16_t kernel_of_composition[compositions];
};

constexpr kernel_numbers number_kernels() {
  kernel_numbers numbers{};
  int kernel = 0;
  for (int index = 0; index < compositions; index++) {
    const bool legal = why_illegal(composition_at(index)) == nullptr;
    numbers.kernel_of_composition[index] = static_cast<int16_t>(legal ? kernel : -1);
    if (legal) numbers.composition_of_kernel[kernel++] = index;
  }
  return numbers;
}

// For use at compile time. At run time, `kernel_of` is used, so that only one object file contains the table.
constexpr kernel_numbers all_kernel_numbers = number_kernels();

// Whether tables of rows have optimizers of this composition. Others take the kernels of dense steps there.
constexpr bool is_of_tables(composition c) {
  return c.first_moment != PANOPTIM_FIRST_MOMENT_OF_DIRECTION && c.nesterov != PANOPTIM_NESTEROV_OLD &&
         c.second_moment <= PANOPTIM_SECOND_MOMENT_RUNNING && !c.unit_correction && !c.sign &&
         c.decay != PANOPTIM_DECAY_L2 && c.history == PANOPTIM_HISTORY_NONE &&
         (c.update == PANOPTIM_UPDATE_DESCENT || c.update == PANOPTIM_UPDATE_PROXIMAL);
}

// The number of a composition's kernel; -1 for an illegal composition. The values of the axes must be in their ranges.
int kernel_of(composition c);

// The kinds of states, in the order of a tensor's array: Rule.stateNames() in Java.
enum state_kind {
  first_state,
  second_state,
  secondary_state,  // the maximum of the second moment, or the mean of the gradient
  units_state,
  slow_state,        // the slow moment, or the moment of differences of successive gradients
  previous_state,    // the previous gradient
  average_state,     // the average of the parameter
  step_sizes_state,  // the step size of each element
  z_state,           // z of a proximal or schedule-free update
  state_kinds
};

constexpr bool has_state(composition c, int kind) {
  switch (kind) {
    case first_state: return c.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
    case second_state: return c.second_moment != PANOPTIM_SECOND_MOMENT_NONE;
    case secondary_state:
      return c.second_moment == PANOPTIM_SECOND_MOMENT_MAXIMUM || c.second_moment == PANOPTIM_SECOND_MOMENT_CENTERED;
    case units_state: return c.unit_correction != 0;
    case slow_state: return c.history == PANOPTIM_HISTORY_SLOW || c.history == PANOPTIM_HISTORY_DIFFERENCE;
    case previous_state:
      return c.history == PANOPTIM_HISTORY_DIFFERENCE || c.history == PANOPTIM_HISTORY_CORRECTED ||
             c.update == PANOPTIM_UPDATE_SIGN_STEPS;
    case average_state: return c.update == PANOPTIM_UPDATE_AVERAGED;
    case step_sizes_state: return c.update == PANOPTIM_UPDATE_SIGN_STEPS;
    case z_state: return c.update == PANOPTIM_UPDATE_PROXIMAL || c.update == PANOPTIM_UPDATE_SCHEDULE_FREE;
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

// Whether panoptim_measure evaluates the formula of a composition. For all others, it sums the squares of parameters
// and gradients alone, with the formula of the composition without moments and decay.
constexpr bool has_formula_to_measure(composition c) {
  return c.update == PANOPTIM_UPDATE_CAUTIOUS || c.history == PANOPTIM_HISTORY_CORRECTED ||
         (c.first_moment == PANOPTIM_FIRST_MOMENT_OF_GRADIENT && !c.nesterov &&
          c.second_moment == PANOPTIM_SECOND_MOMENT_RUNNING && !c.unit_correction && !c.history &&
          c.update == PANOPTIM_UPDATE_DESCENT && c.decay != PANOPTIM_DECAY_L2);
}

constexpr composition composition_with_formula(composition c) {
  return has_formula_to_measure(c) ? c : composition{};
}

// Whether a composition has a number, by PANOPTIM_MEASURE_..., that its own formula gives for each element.
constexpr bool has_measure(composition c, int measure) {
  switch (measure) {
    case PANOPTIM_MEASURE_GRADIENT: return c.history == PANOPTIM_HISTORY_CORRECTED || index_of(c) == 0;
    // Those that factors depend on: kernels for all others would make the library larger.
    case PANOPTIM_MEASURE_CHANGE: return has_formula_to_measure(c) && !c.history && c.update == PANOPTIM_UPDATE_DESCENT;
    case PANOPTIM_MEASURE_LAST: return has_formula_to_measure(c) && !c.history;
    default: return false;
  }
}

// The composition whose formula gives a number.
constexpr composition measured_composition(composition c, int measure) {
  return has_measure(c, measure) ? c : composition{};
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
