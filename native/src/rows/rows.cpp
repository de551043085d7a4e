#include "rows/rows.h"

#include <math.h>

#include "fail.h"
#include "rule/arithmetic.h"
#include "rule/sum_of_lanes.h"
#include "step/kernel_at.h"
#include "step/sharing.h"
#include "tier/tiers.h"

// Found by the templates of step/sharing.h.
inline panoptim_int64 total_elements(const panoptim_rows &rows) {
  return rows.count * rows.width;
}

namespace {

// Elements of a row whose gradients are summed before the update.
constexpr panoptim_int64 tile = 1024;

// Memory of large tables is prefetched in two stages. First, for a group of rows at once, the first cache line of each
// operand: the processor then translates many addresses at the same time. Interleaved with steps, each translation
// would hold up the steps before it. Second, `rows_ahead` rows before its step, the rest of the row.
//
// For 10 million rows of 64 elements, a step of Adagrad took 1.5 times as long with the second stage alone (Zen 4).
constexpr panoptim_int64 group_of_rows = 32;
constexpr panoptim_int64 rows_ahead = 8;

// Elements of an operand that are prefetched. The processor itself follows longer rows.
constexpr panoptim_int64 most_fetched = 256;

bool has(const panoptim_row_operand &operand) {
  return operand.stride != 0;
}

// The operand of a row. Integers, because the base may be no address but a distance.
template <class Number>
Number *at(const panoptim_row_operand &operand, panoptim_int64 place) {
  return reinterpret_cast<Number *>(reinterpret_cast<uintptr_t>(operand.base) +
                                    static_cast<uintptr_t>(place * operand.stride));
}

// Marks a row as being written, so that threads that read it meanwhile notice that.
class row_version {
 public:
  row_version(const panoptim_rows &rows, panoptim_int64 place)
      : version_(has(rows.version) ? at<int32_t>(rows.version, place) : nullptr) {
    if (!version_) return;
    number_ = static_cast<uint32_t>(*version_);
    __atomic_store_n(version_, static_cast<int32_t>(number_ + 1), __ATOMIC_RELAXED);
    // What follows is not written before the line above.
    __atomic_thread_fence(__ATOMIC_RELEASE);
  }

  row_version(const row_version &) = delete;

  ~row_version() {
    if (version_) __atomic_store_n(version_, static_cast<int32_t>(number_ + 2), __ATOMIC_RELEASE);
  }

 private:
  int32_t *version_;
  uint32_t number_ = 0;
};

kernel kernel_of_rows(const kernel_table &kernels, composition c) {
  const kernel own = kernels.of_rows[kernel_of(c)];
  return own ? own : kernels.at[kernel_of(c)];
}

class row_work {
 public:
  explicit row_work(const panoptim_rows &rows)
      : rows_(rows),
        kernels_(*kernels_of(rows.tier)),
        composition_(composition_of(*rows.rule)),
        update_(kernel_of_rows(kernels_, composition_)),
        states_(states_of(composition_)) {
  }

  // Works on the rows that start in [begin, end).
  void operator()(panoptim_int64 begin, panoptim_int64 end) const {
    const panoptim_int64 first = quotient_up(begin, rows_.width);
    const panoptim_int64 last = quotient_up(end, rows_.width);
    fetch_beginnings(first, last);
    for (panoptim_int64 row = first; row < last && row < first + rows_ahead; row++) fetch_row(row);
    for (panoptim_int64 row = first; row < last; row++) {
      if ((row - first) % group_of_rows == 0) fetch_beginnings(row + group_of_rows, last);
      if (row + rows_ahead < last) fetch_row(row + rows_ahead);
      step(rows_.places[row], rows_.first[row]);
    }
  }

 private:
  // The functions that prefetch are inlined, because GCC removes calls of functions that do nothing else.
  __attribute__((always_inline)) void fetch_beginnings(panoptim_int64 group, panoptim_int64 last) const {
    for (panoptim_int64 row = group; row < last && row < group + group_of_rows; row++) {
      const panoptim_int64 place = rows_.places[row];
      fetch_number(rows_.parameter, place);
      for (int i = 0; i < states_; i++) fetch_number(rows_.state[i], place);
    }
  }

  // Prefetches what a step reads and writes, except a row's gradients after the first.
  __attribute__((always_inline)) void fetch_row(panoptim_int64 row) const {
    const panoptim_int64 fetched = rows_.width < most_fetched ? rows_.width : most_fetched;
    const panoptim_int64 place = rows_.places[row];
    if (rows_.first[row] >= 0) fetch<0>(reinterpret_cast<const char *>(gradient_at(rows_.first[row], 0)), fetched);
    fetch(at<char>(rows_.parameter, place), fetched);
    for (int i = 0; i < states_; i++) fetch(at<char>(rows_.state[i], place), fetched);
    fetch_number(rows_.sum, place);
    fetch_number(rows_.steps, place);
    fetch_number(rows_.version, place);
  }

  __attribute__((always_inline)) static void fetch_number(const panoptim_row_operand &operand, panoptim_int64 place) {
    if (has(operand)) fetch(at<char>(operand, place), 1);
  }

  template <int Written = 1>
  __attribute__((always_inline)) static void fetch(const char *operand, panoptim_int64 elements) {
    constexpr uintptr_t line = 64;
    const uintptr_t begin = reinterpret_cast<uintptr_t>(operand);
    const uintptr_t end = begin + static_cast<uintptr_t>(elements) * sizeof(float);
    for (uintptr_t address = begin & ~(line - 1); address < end; address += line) {
      __builtin_prefetch(reinterpret_cast<const void *>(address), Written);
    }
  }

  void step(panoptim_int64 place, int32_t first) const {
    const row_version writing(rows_, place);
    if (has(rows_.steps)) make_missed_steps(place, first < 0 ? rows_.step - 1 : rows_.step);
    if (first < 0) return;
    if (rows_.factor == PANOPTIM_ROW_FACTOR_NONE) {
      step_with(*rows_.coefficients, place, first);
    } else {
      panoptim_coefficients own = *rows_.coefficients;
      own.step_size = factored_step(place, first);
      step_with(own, place, first);
    }
  }

  void step_with(const panoptim_coefficients &coefficients, panoptim_int64 place, int32_t first) const {
    for_each_tile(first, [&](panoptim_int64 start, panoptim_int64 length, const float *gradient) {
      update(coefficients, place, start, length, gradient);
    });
  }

  void update(const panoptim_coefficients &coefficients, panoptim_int64 place, panoptim_int64 start,
              panoptim_int64 length, const float *gradient) const {
    float *state[PANOPTIM_STATES] = {};
    for (int i = 0; i < states_; i++) state[i] = at<float>(rows_.state[i], place) + start;
    update_(coefficients, length, at<float>(rows_.parameter, place) + start, gradient, state);
  }

  // Calls use(start, length, gradient) with the sum of the gradients of a row, in parts.
  template <class Use>
  void for_each_tile(int32_t first, Use use) const {
    float sum[tile];
    for (panoptim_int64 start = 0; start < rows_.width; start += tile) {
      const panoptim_int64 length = rows_.width - start < tile ? rows_.width - start : tile;
      const float *gradient = gradient_at(first, start);
      if (rows_.next[first] >= 0) {
        kernels_.vectors.sum_rows(length, rows_.gradients + start, rows_.width, rows_.next, first, sum);
        gradient = sum;
      }
      use(start, length, gradient);
    }
  }

  const float *gradient_at(int32_t index, panoptim_int64 start) const {
    return rows_.gradients + index * rows_.width + start;
  }

  // Adds the mean of the squared gradient to the row's sum.
  float factored_step(panoptim_int64 place, int32_t first) const {
    double lanes[PANOPTIM_LANES] = {};
    for_each_tile(first, [&](panoptim_int64, panoptim_int64 length, const float *gradient) {
      kernels_.add_squares(length, gradient, lanes);
    });
    const double mean = sum_of_lanes(lanes) / static_cast<double>(rows_.width);
    float *sum = at<float>(rows_.sum, place);
    *sum = canonical(static_cast<float>(static_cast<double>(*sum) + mean));
    return static_cast<float>(rows_.learning_rate / (sqrt(static_cast<double>(*sum)) + rows_.epsilon));
  }

  // Writes the number of the row's last step, and makes those that the row missed, with a gradient of 0.
  void make_missed_steps(panoptim_int64 place, panoptim_int64 now) const {
    panoptim_int64 *last = at<panoptim_int64>(rows_.steps, place);
    // A table in a file may have any number here.
    const panoptim_int64 before = *last < 0 ? 0 : *last;
    if (before < now) *last = now;
    const panoptim_int64 missed = rows_.step - 1 - before;
    if (missed <= 0 || rows_.replayed == 0) return;
    const panoptim_int64 together = missed > rows_.replayed ? missed - rows_.replayed : 0;
    panoptim_int64 next = before + 1;
    for (int power = 0; power < PANOPTIM_ROW_GAPS; power++) {
      if (together >> power & 1) {
        step_without_gradient(move(power, next), place);
        step_without_gradient(rows_.decays[power], place);
        next += panoptim_int64{1} << power;
      }
    }
    for (panoptim_int64 step = next; step < rows_.step; step++) {
      step_without_gradient(rows_.missed[step % rows_.replayed], place);
    }
  }

  // The coefficients that move the parameter by 2^power steps from `step` on.
  panoptim_coefficients move(int power, panoptim_int64 step) const {
    const panoptim_int64 corrected = step + rows_.gaps[power].middle;
    double first_power = 1;
    double second_power = 1;
    for (int i = 0; i < PANOPTIM_ROW_GAPS; i++) {
      if (corrected >> i & 1) {
        first_power *= rows_.gaps[i].first_power;
        second_power *= rows_.gaps[i].second_power;
      }
    }
    const double root = sqrt(1 - second_power);
    panoptim_coefficients own = rows_.moves[power];
    own.step_size = static_cast<float>(rows_.learning_rate * root / (1 - first_power) * rows_.gaps[power].movement);
    own.epsilon = static_cast<float>(rows_.epsilon * root);
    return own;
  }

  void step_without_gradient(const panoptim_coefficients &coefficients, panoptim_int64 place) const {
    static const float zeros[tile] = {};
    for (panoptim_int64 start = 0; start < rows_.width; start += tile) {
      const panoptim_int64 length = rows_.width - start < tile ? rows_.width - start : tile;
      update(coefficients, place, start, length, zeros);
    }
  }

  const panoptim_rows &rows_;
  const kernel_table &kernels_;
  const composition composition_;
  const kernel update_;
  const int states_;
};

int32_t check_operands(panoptim_rows *rows) {
  const int states = states_of(composition_of(*rows->rule));
  const struct {
    const char *name;
    bool missing;
  } operands[] = {
      {"places", !rows->places},
      {"first", !rows->first},
      {"next", rows->gradient_count > 0 && !rows->next},
      {"gradients", rows->gradient_count > 0 && !rows->gradients},
      {"parameter", !has(rows->parameter)},
      {"sum", rows->factor == PANOPTIM_ROW_FACTOR_ADAGRAD && !has(rows->sum)},
      {"coefficients", !rows->coefficients},
      {"steps", rows->replayed > 0 && !has(rows->steps)},
      {"missed", rows->replayed > 0 && !rows->missed},
      {"gaps", rows->replayed > 0 && !rows->gaps},
      {"moves", rows->replayed > 0 && !rows->moves},
      {"decays", rows->replayed > 0 && !rows->decays},
  };
  for (const auto &each : operands) {
    if (each.missing) return fail(rows, PANOPTIM_INVALID_ARGUMENT, "%s is missing", each.name);
  }
  for (int i = 0; i < states; i++) {
    if (!has(rows->state[i])) return fail(rows, PANOPTIM_INVALID_ARGUMENT, "state %d of %d is missing", i, states);
  }
  return PANOPTIM_OK;
}

// Whether a list may go on with this index after another one, so that it ends.
bool may_follow(int32_t next, int32_t index, int32_t count) {
  return (next == -1) | ((next > index) & (next < count));
}

int32_t check_gradients(panoptim_rows *rows) {
  const int32_t count = static_cast<int32_t>(rows->gradient_count);
  bool right = true;
  // Without a branch in the loops, so that they are vectorised.
  for (panoptim_int64 row = 0; row < rows->count; row++) right &= may_follow(rows->first[row], -1, count);
  for (int32_t i = 0; i < count; i++) right &= may_follow(rows->next[i], i, count);
  if (right) return PANOPTIM_OK;
  for (panoptim_int64 row = 0; row < rows->count; row++) {
    if (!may_follow(rows->first[row], -1, count)) {
      return fail(rows, PANOPTIM_INVALID_ARGUMENT, "first[%lld] is %d, not -1 to %d", row, rows->first[row], count - 1);
    }
  }
  int32_t i = 0;
  while (may_follow(rows->next[i], i, count)) i++;
  return fail(rows, PANOPTIM_INVALID_ARGUMENT, "next[%d] is %d, not -1 or %d to %d", i, rows->next[i], i + 1,
              count - 1);
}

}  // namespace

int32_t check_rows(panoptim_rows *rows) {
  if (const int32_t status = check_tier(rows)) return status;
  if (const int32_t status = check_sharing(rows)) return status;
  if (!rows->rule) return fail(rows, PANOPTIM_INVALID_ARGUMENT, "rule is NULL");
  if (!kernel_at(*kernels_of(rows->tier), composition_of(*rows->rule))) {
    return fail(rows, PANOPTIM_INVALID_ARGUMENT, "rule is no legal composition");
  }
  if (rows->factor < PANOPTIM_ROW_FACTOR_NONE || rows->factor > PANOPTIM_ROW_FACTOR_ADAGRAD) {
    return fail(rows, PANOPTIM_INVALID_ARGUMENT, "factor is %d, not %d to %d", rows->factor, PANOPTIM_ROW_FACTOR_NONE,
                PANOPTIM_ROW_FACTOR_ADAGRAD);
  }
  if (rows->count < 0 || rows->replayed < 0) {
    return fail(rows, PANOPTIM_INVALID_ARGUMENT, "count is %lld and replayed %lld, not 0 or more", rows->count,
                rows->replayed);
  }
  if (rows->gradient_count < 0 || rows->gradient_count > INT32_MAX) {
    return fail(rows, PANOPTIM_INVALID_ARGUMENT, "gradient_count is %lld, not 0 to %d", rows->gradient_count,
                INT32_MAX);
  }
  if (rows->width < 1 || rows->count > most_elements / rows->width ||
      rows->gradient_count > most_elements / rows->width) {
    return fail(rows, PANOPTIM_INVALID_ARGUMENT,
                "width is %lld, not 1 or more, or %lld rows and %lld gradients have more than 2^54 elements",
                rows->width, rows->count, rows->gradient_count);
  }
  if (rows->count == 0) return PANOPTIM_OK;
  if (const int32_t status = check_operands(rows)) return status;
  return check_gradients(rows);
}

void run_rows(panoptim_rows &rows) {
  run_shared(rows, row_work(rows));
}

void help_rows(panoptim_rows &rows) {
  join_work(rows, [&](auto take) { take(row_work(rows)); });
}
