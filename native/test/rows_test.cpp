// Steps over rows of a table: every tier and every number of threads reaches the bits of dense steps, row by row.
#include <limits.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <numeric>
#include <thread>

#include "check.h"
#include "guarded.h"
#include "problem.h"
#include "rule/arithmetic.h"

namespace {

const std::vector<panoptim_int64> widths = {1, 2, 15, 16, 17, 64, 1023, 1024, 1025, 2500, 4097, PANOPTIM_CHUNK + 1};

constexpr double learning_rate = 0.1;
constexpr double epsilon = 1e-7;
constexpr panoptim_int64 now = 900000000001;

composition plain() {
  return {};
}

composition heavy_ball() {
  composition c;
  c.first_moment = PANOPTIM_FIRST_MOMENT_OF_GRADIENT;
  return c;
}

composition nesterov() {
  composition c = heavy_ball();
  c.nesterov = PANOPTIM_NESTEROV_NEW;
  return c;
}

composition adagrad() {
  composition c;
  c.second_moment = PANOPTIM_SECOND_MOMENT_RUNNING;
  return c;
}

composition adam() {
  composition c = heavy_ball();
  c.second_moment = PANOPTIM_SECOND_MOMENT_RUNNING;
  c.decay = PANOPTIM_DECAY_DECOUPLED;
  return c;
}

composition proximal() {
  composition c = adagrad();
  c.update = PANOPTIM_UPDATE_PROXIMAL;
  return c;
}

std::vector<composition> usual_compositions() {
  return {plain(), heavy_ball(), nesterov(), adagrad(), adam(), proximal()};
}

enum kind { parameter, state, sum = state + PANOPTIM_STATES, steps, version, kinds };

const char *const names[] = {"parameter", "state 0", "state 1", "state 2", "state 3", "sum", "steps", "version"};

struct form {
  composition rule;
  panoptim_int64 width = 16;
  int rows = 20;
  bool records = false;  // of all operands of a row, at addresses; else an array for each operand
  bool special = false;
  bool counts_steps = false;
  bool has_versions = true;
  int factor = PANOPTIM_ROW_FACTOR_NONE;
  int shift = 0;  // floats between a 64-byte boundary and an operand, and between rows
  uint64_t seed = 1;

  bool has(int kind) const {
    if (kind == sum) return factor != PANOPTIM_ROW_FACTOR_NONE;
    if (kind == steps) return counts_steps;
    if (kind == version) return has_versions;
    return kind - state < states_of(rule);
  }

  panoptim_int64 bytes_of(int kind) const {
    return kind == steps ? 8 : kind >= sum ? 4 : width * static_cast<panoptim_int64>(sizeof(float));
  }

  std::string text() const {
    return words(rule) + ", width " + std::to_string(width) + ", records " + std::to_string(records) + ", special " +
           std::to_string(special) + ", steps " + std::to_string(counts_steps) + ", factor " + std::to_string(factor) +
           ", shift " + std::to_string(shift);
  }
};

form form_of(composition rule, panoptim_int64 width) {
  form f;
  f.rule = rule;
  f.width = width;
  f.rows = static_cast<int>(std::min<panoptim_int64>(std::max<panoptim_int64>(20000 / width, 8), 150));
  return f;
}

template <class Item>
void shuffle(std::vector<Item> &items, random_numbers &numbers) {
  for (size_t i = items.size(); i > 1; i--) {
    std::swap(items[i - 1], items[static_cast<size_t>(numbers.below(static_cast<int>(i)))]);
  }
}

// All operands of all rows, in one memory whose other bytes no step may change.
class table {
 public:
  explicit table(const form &f) : form_(f) {
    f.records ? place_records() : place_arrays();
    memory_.resize(size_ / sizeof(line) + 2);
    std::memset(memory_.data(), 0xa5, memory_.size() * sizeof(line));
    random_numbers numbers(f.seed);
    for (int row = 0; row < f.rows; row++) {
      for (int kind = 0; kind < sum; kind++) {
        if (!f.has(kind)) continue;
        const bool negative = kind == parameter || (kind == state && f.rule.first_moment);
        for (panoptim_int64 i = 0; i < f.width; i++) {
          const float x = numbers.value(f.special);
          at<float>(kind, row)[i] = negative ? x : std::fabs(x);
        }
      }
      if (f.has(sum)) *at<float>(sum, row) = std::fabs(numbers.value(false));
      if (f.has(steps)) *at<panoptim_int64>(steps, row) = now - 1 - missed_by(row, numbers);
      // Versions overflow, too.
      if (f.has(version)) *at<int32_t>(version, row) = row % 3 == 0 ? INT32_MAX - 1 : 2 * row;
    }
  }

  template <class Number>
  Number *at(int kind, int row) {
    const size_t r = static_cast<size_t>(row);
    return reinterpret_cast<Number *>(start() +
                                      (form_.records ? records_[r] + base_[kind] : base_[kind] + row * stride_[kind]));
  }

  panoptim_row_operand operand(int kind) {
    if (!form_.has(kind)) return {nullptr, 0};
    // With addresses as places, the base is a distance.
    if (form_.records) return {reinterpret_cast<char *>(static_cast<uintptr_t>(base_[kind])), 1};
    return {start() + base_[kind], stride_[kind]};
  }

  panoptim_int64 place(int row) {
    return form_.records
               ? static_cast<panoptim_int64>(reinterpret_cast<uintptr_t>(start())) + records_[static_cast<size_t>(row)]
               : row;
  }

  bool has_bits_of(const table &other) const {
    return std::memcmp(memory_.data(), other.memory_.data(), memory_.size() * sizeof(line)) == 0;
  }

  // The first operand with other bits.
  std::string difference_from(table &other) {
    for (int row = 0; row < form_.rows; row++) {
      for (int kind = 0; kind < kinds; kind++) {
        if (form_.has(kind) && std::memcmp(at<char>(kind, row), other.at<char>(kind, row),
                                           static_cast<size_t>(form_.bytes_of(kind))) != 0) {
          return std::string(names[kind]) + " of row " + std::to_string(row);
        }
      }
    }
    return "bytes of no operand";
  }

 private:
  struct alignas(64) line {
    char bytes[64];
  };

  char *start() {
    return memory_.data()->bytes;
  }

  void place_arrays() {
    for (int kind = 0; kind < kinds; kind++) {
      size_ = (size_ + 127) / 64 * 64;
      const panoptim_int64 unit = kind == steps ? 8 : 4;
      base_[kind] = size_ + form_.shift * unit;
      stride_[kind] = form_.bytes_of(kind) + form_.shift * unit;
      size_ = base_[kind] + form_.rows * stride_[kind];
    }
  }

  void place_records() {
    panoptim_int64 length = 0;
    for (int kind : {static_cast<int>(steps), static_cast<int>(version), static_cast<int>(sum)}) {
      base_[kind] = length;
      length += form_.bytes_of(kind);
    }
    length += form_.shift * 4;
    for (int kind = 0; kind < sum; kind++) {
      base_[kind] = length;
      if (form_.has(kind)) length += form_.bytes_of(kind);
    }
    std::vector<int> order(static_cast<size_t>(form_.rows));
    std::iota(order.begin(), order.end(), 0);
    random_numbers numbers(form_.seed + 7);
    shuffle(order, numbers);
    records_.resize(order.size());
    for (int row : order) {
      records_[static_cast<size_t>(row)] = size_;
      size_ += (length + 7) / 8 * 8 + 8 * numbers.below(3);
    }
  }

  static panoptim_int64 missed_by(int row, random_numbers &numbers) {
    switch (row % 5) {
      case 0: return 0;
      case 1: return 1 + numbers.below(5);
      case 2: return 1 + numbers.below(60);
      case 3: return static_cast<panoptim_int64>(numbers.next() >> 25);  // up to 2^39
      default: return row % 2 - 1;                                       // this step, or none
    }
  }

  form form_;
  panoptim_int64 size_ = 64;
  panoptim_int64 base_[kinds] = {};
  panoptim_int64 stride_[kinds] = {};
  std::vector<panoptim_int64> records_;
  std::vector<line> memory_;
};

void vary(panoptim_coefficients &c, int n) {
  const float factor = 1 - static_cast<float>(n) / 256;
  for (float *each : {&c.weight_decay, &c.first_decay, &c.first_take, &c.second_decay, &c.second_take, &c.step_size,
                      &c.special[0], &c.special[1], &c.special[2]}) {
    *each *= factor;
  }
}

// Everything of a call but the table.
struct request {
  std::vector<int> order;  // the rows
  std::vector<int32_t> first, next;
  std::vector<float> gradients;
  panoptim_coefficients coefficients = usual_coefficients();
  std::vector<panoptim_coefficients> missed, moves, decays;
  std::vector<panoptim_row_gap> gaps;
  panoptim_int64 step = now;
  panoptim_plan rule{};
  std::vector<panoptim_int64> places;
  size_t shift;

  // `counts` gradients for the rows in `order`.
  request(const form &f, std::vector<int> order, const std::vector<int> &counts)
      : order(std::move(order)), shift(static_cast<size_t>(f.shift)) {
    set_composition(rule, f.rule);
    random_numbers numbers(f.seed + 3);
    std::vector<size_t> rows_of;
    for (size_t i = 0; i < counts.size(); i++) rows_of.insert(rows_of.end(), static_cast<size_t>(counts[i]), i);
    shuffle(rows_of, numbers);
    first.assign(this->order.size(), -1);
    next.assign(rows_of.size(), -1);
    for (size_t i = rows_of.size(); i > 0; i--) {
      next[i - 1] = first[rows_of[i - 1]];
      first[rows_of[i - 1]] = static_cast<int32_t>(i - 1);
    }
    gradients.resize(shift + next.size() * static_cast<size_t>(f.width));
    for (float &each : gradients) each = numbers.value(f.special);
    for (int i = 0; i < 5; i++) {
      missed.push_back(usual_coefficients());
      vary(missed.back(), i + 1);
    }
    double first_power = 0.9, second_power = 0.999;
    for (int i = 0; i < PANOPTIM_ROW_GAPS; i++) {
      moves.push_back(usual_coefficients());
      vary(moves.back(), 2 * i + 10);
      decays.push_back(usual_coefficients());
      vary(decays.back(), 2 * i + 11);
      gaps.push_back({first_power, second_power, 1.5 + i, i});
      first_power *= first_power;
      second_power *= second_power;
    }
  }

  const float *gradient(const form &f, int32_t index) const {
    return gradients.data() + shift + index * f.width;
  }

  panoptim_rows call(const form &f, table &t, int tier) {
    places.clear();
    for (int row : order) places.push_back(t.place(row));
    panoptim_rows rows{};
    rows.places = places.data();
    rows.first = first.data();
    rows.next = next.data();
    rows.gradients = gradients.data() + shift;
    rows.count = static_cast<panoptim_int64>(order.size());
    rows.gradient_count = static_cast<panoptim_int64>(next.size());
    rows.width = f.width;
    rows.parameter = t.operand(parameter);
    for (int i = 0; i < PANOPTIM_STATES; i++) rows.state[i] = t.operand(state + i);
    rows.sum = t.operand(sum);
    rows.steps = t.operand(steps);
    rows.version = t.operand(version);
    rows.rule = &rule;
    rows.coefficients = &coefficients;
    rows.missed = missed.data();
    rows.gaps = gaps.data();
    rows.moves = moves.data();
    rows.decays = decays.data();
    rows.replayed = f.counts_steps ? static_cast<panoptim_int64>(missed.size()) : 0;
    rows.step = step;
    rows.learning_rate = learning_rate;
    rows.epsilon = epsilon;
    rows.factor = f.factor;
    rows.tier = tier;
    return rows;
  }
};

// About three quarters of the rows, in another order; of them, rows with 1, 2, 3 and 100 gradients. If rows may miss
// steps, some have none.
request random_request(const form &f) {
  random_numbers numbers(f.seed + 5);
  std::vector<int> order;
  for (int row = 0; row < f.rows; row++) {
    if (row < 6 || numbers.below(4) > 0) order.push_back(row);
  }
  shuffle(order, numbers);
  std::vector<int> counts;
  for (size_t i = 0; i < order.size(); i++) {
    static const int usual[] = {1, 2, 1, 3, 1, 1, 2};
    const bool none = f.counts_steps && numbers.below(4) == 0;
    counts.push_back(i == 2 ? 100 : none ? 0 : usual[i % 7]);
  }
  return request(f, order, counts);
}

// The dense step of a row.
void dense_step(const form &f, table &t, int row, const panoptim_coefficients &coefficients, const float *gradient) {
  panoptim_tensor tensor{};
  tensor.parameter = t.at<float>(parameter, row);
  tensor.gradient = const_cast<float *>(gradient);
  for (int i = 0; i < states_of(f.rule); i++) tensor.state[i] = t.at<float>(state + i, row);
  tensor.length = f.width;
  panoptim_plan plan{};
  set_composition(plan, f.rule);
  plan.tensors = &tensor;
  plan.tensor_count = 1;
  plan.coefficients = &coefficients;
  plan.coefficients_count = 1;
  plan.tier = PANOPTIM_TIER_BASELINE;
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
}

std::vector<float> summed(const form &f, const request &r, int32_t first) {
  std::vector<float> all(r.gradient(f, first), r.gradient(f, first) + f.width);
  for (int32_t i = r.next[static_cast<size_t>(first)]; i >= 0; i = r.next[static_cast<size_t>(i)]) {
    for (size_t j = 0; j < all.size(); j++) all[j] = all[j] + r.gradient(f, i)[j];
  }
  return all;
}

float factored_step_size(const form &f, const panoptim_rows &call, const std::vector<float> &gradient, float *sum) {
  double lanes[PANOPTIM_LANES] = {};
  for (size_t i = 0; i < gradient.size(); i++) {
    lanes[i % PANOPTIM_LANES] += static_cast<double>(gradient[i]) * static_cast<double>(gradient[i]);
  }
  for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  }
  const double mean = lanes[0] / static_cast<double>(f.width);
  *sum = canonical(static_cast<float>(static_cast<double>(*sum) + mean));
  return static_cast<float>(call.learning_rate / (std::sqrt(static_cast<double>(*sum)) + call.epsilon));
}

// 2^power missed steps from a step on.
void define_steps_together(const form &f, table &t, const request &r, int row, size_t power, panoptim_int64 step) {
  double p = 1, q = 1;
  step += r.gaps[power].middle;
  for (size_t i = 0; i < PANOPTIM_ROW_GAPS; i++) {
    p *= (step >> i) % 2 == 1 ? r.gaps[i].first_power : 1;
    q *= (step >> i) % 2 == 1 ? r.gaps[i].second_power : 1;
  }
  panoptim_coefficients move = r.moves[power];
  move.step_size = static_cast<float>(learning_rate * std::sqrt(1 - q) / (1 - p) * r.gaps[power].movement);
  move.epsilon = static_cast<float>(epsilon * std::sqrt(1 - q));
  const std::vector<float> zeros(static_cast<size_t>(f.width));
  dense_step(f, t, row, move, zeros.data());
  dense_step(f, t, row, r.decays[power], zeros.data());
}

void define_missed_steps(const form &f, table &t, const request &r, int row) {
  const std::vector<float> zeros(static_cast<size_t>(f.width));
  const panoptim_int64 replayed = static_cast<panoptim_int64>(r.missed.size());
  if (replayed == 0) return;
  const panoptim_int64 missed = r.step - 1 - *t.at<panoptim_int64>(steps, row);
  panoptim_int64 next = *t.at<panoptim_int64>(steps, row) + 1;
  for (size_t power = 0; power < PANOPTIM_ROW_GAPS; power++) {
    if (missed > replayed && ((missed - replayed) >> power) % 2 == 1) {
      define_steps_together(f, t, r, row, power, next);
      next += 1ll << power;
    }
  }
  for (panoptim_int64 back = std::min(missed, replayed); back > 0; back--) {
    dense_step(f, t, row, r.missed[static_cast<size_t>((r.step - back) % replayed)], zeros.data());
  }
}

// The definition: dense steps of one row after the other.
void define(const form &f, table &t, request &r) {
  const panoptim_rows call = r.call(f, t, PANOPTIM_TIER_BASELINE);
  for (size_t i = 0; i < r.order.size(); i++) {
    const int row = r.order[i];
    if (f.has_versions) {
      int32_t *number = t.at<int32_t>(version, row);
      *number = static_cast<int32_t>(static_cast<uint32_t>(*number) + 2);
    }
    if (f.counts_steps) {
      define_missed_steps(f, t, r, row);
      panoptim_int64 *last = t.at<panoptim_int64>(steps, row);
      *last = std::max(*last, r.first[i] < 0 ? r.step - 1 : r.step);
    }
    if (r.first[i] < 0) continue;
    const std::vector<float> gradient = summed(f, r, r.first[i]);
    panoptim_coefficients coefficients = r.coefficients;
    if (f.factor) coefficients.step_size = factored_step_size(f, call, gradient, t.at<float>(sum, row));
    dense_step(f, t, row, coefficients, gradient.data());
  }
}

// All threads but the first are helpers, from before the call until after it.
void run(panoptim_rows &rows, int threads, panoptim_int64 share = 1000, int times = 1) {
  std::atomic<bool> done{false};
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; i++) {
    helpers.emplace_back([&] {
      for (; !done; std::this_thread::yield()) panoptim_help_rows(&rows);
    });
  }
  for (int i = 0; i < times; i++) {
    rows.share = share;
    __atomic_store_n(&rows.sharing, threads > 1 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
    CHECK(panoptim_step_rows(&rows) == PANOPTIM_OK, "%s", rows.error);
    CHECK(rows.sharing == PANOPTIM_CLOSED, "sharing is %d", rows.sharing);
  }
  done = true;
  for (std::thread &each : helpers) each.join();
  CHECK(rows.helping == 0, "%d", rows.helping);
}

void check_defined(const form &f, int threads = 1, panoptim_int64 share = 1000) {
  const table initial(f);
  request r = random_request(f);
  table expected(initial);
  define(f, expected, r);
  CHECK(!expected.has_bits_of(initial), "the definition does nothing");
  const request before(r);
  for (int tier : available_tiers()) {
    table actual(initial);
    panoptim_rows rows = r.call(f, actual, tier);
    run(rows, threads, share);
    CHECK(actual.has_bits_of(expected), "tier %d with %d threads: %s differs: %s, shares of %lld", tier, threads,
          actual.difference_from(expected).c_str(), f.text().c_str(), share);
    CHECK(std::memcmp(r.gradients.data(), before.gradients.data(), r.gradients.size() * sizeof(float)) == 0 &&
              r.first == before.first && r.next == before.next,
          "gradients are written: %s", f.text().c_str());
  }
}

void check_refused(const char *words, int32_t status, const std::function<void(panoptim_rows &)> &spoil) {
  form f = form_of(adam(), 5);
  f.rows = 6;
  f.counts_steps = true;
  f.factor = PANOPTIM_ROW_FACTOR_ADAGRAD;
  table t(f);
  const table before(t);
  request r(f, {4, 0, 5}, {2, 1, 1});
  for (const int sharing : {PANOPTIM_CLOSED, PANOPTIM_ANNOUNCED}) {
    panoptim_rows rows = r.call(f, t, PANOPTIM_TIER_BASELINE);
    rows.sharing = sharing;
    rows.share = sharing;
    spoil(rows);
    const int32_t actual = panoptim_step_rows(&rows);
    CHECK(actual == status, "status %d, not %d, with '%s'", actual, status, rows.error);
    CHECK(std::string(rows.error).find(words) != std::string::npos, "'%s' has no '%s'", rows.error, words);
    CHECK(rows.sharing == PANOPTIM_CLOSED, "%d", rows.sharing);
    CHECK(t.has_bits_of(before), "something was written although: %s", rows.error);
  }
}

}  // namespace

TEST(rows_have_the_bits_of_dense_steps) {
  for (panoptim_int64 width : widths) {
    for (composition rule : usual_compositions()) {
      for (const bool records : {false, true}) {
        form f = form_of(rule, width);
        f.records = records;
        check_defined(f);
      }
    }
  }
}

TEST(unaligned_and_special_numbers_too) {
  for (panoptim_int64 width : widths) {
    for (composition rule : usual_compositions()) {
      for (const bool records : {false, true}) {
        form f = form_of(rule, width);
        f.records = records;
        f.special = true;
        f.has_versions = records;
        f.shift = 1 + 2 * static_cast<int>(width % 4);
        f.seed = static_cast<uint64_t>(width);
        check_defined(f);
      }
    }
  }
}

TEST(missed_steps_have_the_bits_of_dense_steps) {
  for (panoptim_int64 width : widths) {
    for (composition rule : usual_compositions()) {
      form f = form_of(rule, width);
      f.records = width % 2 == 0;
      f.special = width % 3 == 0;
      f.shift = static_cast<int>(width % 5);
      f.counts_steps = true;
      check_defined(f);
    }
  }
}

TEST(every_composition_has_the_bits_of_dense_steps) {
  for (composition rule : legal_compositions()) {
    form f = form_of(rule, 19);
    f.rows = 20;
    f.special = true;
    f.counts_steps = true;
    for (const bool records : {false, true}) {
      f.records = records;
      check_defined(f);
    }
  }
}

TEST(threads_agree) {
  for (int threads : {2, 3, 7}) {
    for (panoptim_int64 width : widths) {
      form f = form_of(adam(), width);
      f.special = true;
      f.counts_steps = true;
      f.factor = width % 2 == 0 ? PANOPTIM_ROW_FACTOR_ADAGRAD : PANOPTIM_ROW_FACTOR_NONE;
      f.records = width % 3 == 0;
      const panoptim_int64 elements = f.rows * width;
      for (panoptim_int64 share : {width == 1 ? 1 : width - 1, elements / 13 + 1, elements, 1ll << 62}) {
        check_defined(f, threads, share);
      }
    }
  }
  check_defined(form_of(nesterov(), 64), 3, 1);
}

TEST(helpers_may_come_at_any_time) {
  constexpr int times = 300;
  const form f = form_of(heavy_ball(), 1025);
  table t(f), expected(f);
  request r = random_request(f);
  for (int i = 0; i < times; i++) {
    for (size_t row = 0; row < r.order.size(); row++) {
      dense_step(f, expected, r.order[row], r.coefficients, summed(f, r, r.first[row]).data());
      *expected.at<uint32_t>(version, r.order[row]) += 2;
    }
  }
  panoptim_rows rows = r.call(f, t, available_tiers().back());
  run(rows, 3, 1025, times);
  CHECK(t.has_bits_of(expected), "%s differs", t.difference_from(expected).c_str());
}

TEST(helpers_take_shares) {
  for (int attempt = 0;; attempt++) {
    form f = form_of(adam(), 64);
    f.rows = 10000;
    table t(f);
    request r = random_request(f);
    panoptim_rows rows = r.call(f, t, PANOPTIM_TIER_BASELINE);
    rows.share = 640;
    rows.sharing = PANOPTIM_ANNOUNCED;
    std::thread helper([&] { panoptim_help_rows(&rows); });
    while (__atomic_load_n(&rows.helping, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
    CHECK(panoptim_step_rows(&rows) == PANOPTIM_OK, "%s", rows.error);
    helper.join();
    if (rows.helped > 0) return;
    // The system may not have run the helper during the call.
    CHECK(attempt < 100, "a helper that waits for a call has never taken a share of it");
  }
}

TEST(gradients_are_added_in_the_order_of_the_list) {
  form f = form_of(plain(), 33);
  for (const bool one_is_last : {false, true}) {
    request r(f, {3, 1}, {3, 1});
    const int32_t second = r.next[static_cast<size_t>(r.first[0])];
    const int32_t third = r.next[static_cast<size_t>(second)];
    const auto fill = [&](int32_t index, float x) {
      std::fill_n(r.gradients.begin() + static_cast<std::ptrdiff_t>(index * f.width), f.width, x);
    };
    fill(r.first[0], 1e8f);
    fill(one_is_last ? third : second, 1);
    fill(one_is_last ? second : third, -1e8f);
    r.coefficients = {};
    r.coefficients.gradient_scale = 1;
    r.coefficients.step_size = 1;
    for (int tier : available_tiers()) {
      table t(f);
      std::fill_n(t.at<float>(parameter, 3), f.width, 5.0f);
      panoptim_rows rows = r.call(f, t, tier);
      run(rows, 1);
      for (panoptim_int64 i = 0; i < f.width; i++) {
        CHECK(t.at<float>(parameter, 3)[i] == (one_is_last ? 4 : 5), "%g", t.at<float>(parameter, 3)[i]);
      }
    }
  }
}

TEST(a_single_gradient_keeps_the_sign_of_zero) {
  const form f = form_of(plain(), 33);
  for (const float zero : {0.0f, -0.0f}) {
    for (const int count : {1, 2}) {
      request r(f, {2}, {count});
      std::fill(r.gradients.begin(), r.gradients.end(), zero);
      r.coefficients = {};
      r.coefficients.gradient_scale = 1;
      r.coefficients.step_size = 1;
      for (int tier : available_tiers()) {
        table t(f);
        std::fill_n(t.at<float>(parameter, 2), f.width, -0.0f);
        table expected(t);
        define(f, expected, r);
        panoptim_rows rows = r.call(f, t, tier);
        run(rows, 1);
        CHECK(t.has_bits_of(expected), "tier %d: %s differs", tier, t.difference_from(expected).c_str());
        // -0 minus -0 is 0; -0 minus 0 is -0.
        CHECK(bits_of(*t.at<float>(parameter, 2)) == bits_of(std::signbit(zero) ? 0.0f : -0.0f), "%g",
              *t.at<float>(parameter, 2));
      }
    }
  }
}

TEST(a_row_s_factor_has_the_bits_of_its_definition) {
  for (panoptim_int64 width : widths) {
    for (composition rule : usual_compositions()) {
      for (const bool special : {false, true}) {
        form f = form_of(rule, width);
        f.factor = PANOPTIM_ROW_FACTOR_ADAGRAD;
        f.special = special;
        f.records = special;
        f.shift = special ? 3 : 0;
        f.counts_steps = width % 2 == 0;
        check_defined(f);
      }
    }
  }
}

TEST(replayed_steps_are_dense_steps_at_each_position_of_the_ring) {
  // Step s is made with these.
  const auto coefficients_of_step = [](panoptim_int64 s) {
    panoptim_coefficients c = usual_coefficients();
    vary(c, static_cast<int>(s % 50));
    return c;
  };
  for (const panoptim_int64 replayed : {1, 2, 7}) {
    for (panoptim_int64 step = 100; step < 100 + 2 * replayed; step++) {
      for (panoptim_int64 missed = 0; missed <= replayed; missed++) {
        for (const int count : {0, 1}) {
          form f = form_of(adam(), 37);
          f.counts_steps = true;
          table initial(f);
          for (int row = 0; row < f.rows; row++) *initial.at<panoptim_int64>(steps, row) = step - 1 - missed;
          request r(f, {7, 3}, {count, count});
          r.step = step;
          r.coefficients = coefficients_of_step(step);
          r.missed.assign(static_cast<size_t>(replayed), {});
          for (panoptim_int64 s = step - replayed; s < step; s++) {
            r.missed[static_cast<size_t>(s % replayed)] = coefficients_of_step(s);
          }
          table expected(initial);
          const std::vector<float> zeros(static_cast<size_t>(f.width));
          for (size_t i = 0; i < 2; i++) {
            const int row = r.order[i];
            for (panoptim_int64 s = step - missed; s < step; s++) {
              dense_step(f, expected, row, coefficients_of_step(s), zeros.data());
            }
            if (count) dense_step(f, expected, row, r.coefficients, r.gradient(f, r.first[i]));
            *expected.at<panoptim_int64>(steps, row) = count ? step : step - 1;
            *expected.at<uint32_t>(version, row) += 2;
          }
          for (int tier : available_tiers()) {
            table actual(initial);
            panoptim_rows rows = r.call(f, actual, tier);
            run(rows, 1);
            CHECK(actual.has_bits_of(expected), "%s differs: step %lld, %lld missed of %lld, %d gradients in tier %d",
                  actual.difference_from(expected).c_str(), step, missed, replayed, count, tier);
          }
        }
      }
    }
  }
}

TEST(steps_made_together_come_first_and_by_rising_powers) {
  form f = form_of(adam(), 21);
  f.counts_steps = true;
  for (const panoptim_int64 replayed : {1, 3}) {
    table initial(f);
    // 2^0, 2^3 and 2^39 steps.
    *initial.at<panoptim_int64>(steps, 1) = now - 1 - replayed - (1 + 8 + (1ll << 39));
    request r(f, {1}, {0});
    r.missed.resize(static_cast<size_t>(replayed));
    table expected(initial);
    const std::vector<float> zeros(static_cast<size_t>(f.width));
    const panoptim_int64 first = now - replayed - (1 + 8 + (1ll << 39));
    define_steps_together(f, expected, r, 1, 0, first);
    define_steps_together(f, expected, r, 1, 3, first + 1);
    define_steps_together(f, expected, r, 1, 39, first + 9);
    for (panoptim_int64 s = now - replayed; s < now; s++) {
      dense_step(f, expected, 1, r.missed[static_cast<size_t>(s % replayed)], zeros.data());
    }
    *expected.at<panoptim_int64>(steps, 1) = now - 1;
    *expected.at<uint32_t>(version, 1) += 2;
    for (int tier : available_tiers()) {
      table actual(initial);
      panoptim_rows rows = r.call(f, actual, tier);
      run(rows, 1);
      CHECK(actual.has_bits_of(expected), "tier %d: %s differs", tier, actual.difference_from(expected).c_str());
    }
  }
}

TEST(steps_that_are_not_made_are_counted) {
  form f = form_of(adam(), 21);
  f.counts_steps = true;
  for (const int gradients : {0, 1}) {
    table initial(f);
    *initial.at<panoptim_int64>(steps, 1) = 5;
    request r(f, {1}, {gradients});
    for (int tier : available_tiers()) {
      table actual(initial);
      panoptim_rows rows = r.call(f, actual, tier);
      rows.replayed = 0;
      rows.missed = nullptr;
      rows.gaps = nullptr;
      rows.moves = rows.decays = nullptr;
      run(rows, 1);
      CHECK(*actual.at<panoptim_int64>(steps, 1) == now - 1 + gradients, "tier %d: %lld", tier,
            *actual.at<panoptim_int64>(steps, 1));
      const bool changed = std::memcmp(actual.at<float>(parameter, 1), initial.at<float>(parameter, 1),
                                       static_cast<size_t>(f.width) * sizeof(float)) != 0;
      CHECK(changed == (gradients == 1), "tier %d, %d gradients: changed %d", tier, gradients, changed);
    }
  }
}

TEST(a_last_step_below_0_is_taken_for_0) {
  form f = form_of(adam(), 21);
  f.counts_steps = true;
  table initial(f);
  table expected(f);
  request r(f, {1}, {0});
  r.missed.resize(3);
  *expected.at<panoptim_int64>(steps, 1) = 0;
  panoptim_rows rows = r.call(f, expected, PANOPTIM_TIER_BASELINE);
  run(rows, 1);
  for (const panoptim_int64 before : {-1ll, -7ll, LLONG_MIN}) {
    for (int tier : available_tiers()) {
      table actual(initial);
      *actual.at<panoptim_int64>(steps, 1) = before;
      rows = r.call(f, actual, tier);
      run(rows, 1);
      CHECK(actual.has_bits_of(expected), "tier %d: %s differs", tier, actual.difference_from(expected).c_str());
    }
  }
}

TEST(rows_that_are_up_to_date_miss_no_step) {
  form f = form_of(adam(), 40);
  f.counts_steps = true;
  for (const panoptim_int64 before : {now - 1, now}) {
    table t(f);
    for (int row = 0; row < f.rows; row++) *t.at<panoptim_int64>(steps, row) = before;
    table expected(t);
    request r(f, {5, 2}, {0, 0});
    panoptim_rows rows = r.call(f, t, available_tiers().back());
    rows.next = nullptr;
    rows.gradients = nullptr;
    run(rows, 1);
    for (int row : r.order) *expected.at<uint32_t>(version, row) += 2;
    CHECK(t.has_bits_of(expected), "%s differs", t.difference_from(expected).c_str());
  }
}

TEST(readers_never_see_a_torn_row) {
  form f = form_of(heavy_ball(), 1500);
  f.rows = 4;
  f.counts_steps = true;
  table t(f);
  // After n steps, the state is n, `steps` is n, the version is 2n, and the elements of the parameter are equal.
  for (int row = 0; row < f.rows; row++) {
    std::fill_n(t.at<float>(parameter, row), f.width, 0.0f);
    std::fill_n(t.at<float>(state, row), f.width, 0.0f);
    *t.at<panoptim_int64>(steps, row) = 0;
    *t.at<int32_t>(version, row) = 0;
  }
  request r(f, {2, 0, 3, 1}, {2, 1, 2, 1});
  for (size_t i = 0; i < r.order.size(); i++) {
    for (int32_t g = r.first[i]; g >= 0; g = r.next[static_cast<size_t>(g)]) {
      std::fill_n(r.gradients.begin() + static_cast<std::ptrdiff_t>(g * f.width), f.width, i % 2 == 0 ? 0.5f : 1.0f);
    }
  }
  r.coefficients = {};
  r.coefficients.gradient_scale = 1;
  r.coefficients.first_decay = 1;
  r.coefficients.first_take = 1;
  r.coefficients.step_size = 1e-3f;

  std::atomic<bool> done{false};
  int different = 0, torn = 0, refused = 0;
  std::thread reader([&] {
    const auto start = std::chrono::steady_clock::now();
    const auto elapsed = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    const auto load = [](const float *from) {
      const uint32_t bits = __atomic_load_n(reinterpret_cast<const uint32_t *>(from), __ATOMIC_RELAXED);
      return float_of(bits);
    };
    std::vector<float> parameters(static_cast<size_t>(f.width)), states(static_cast<size_t>(f.width));
    std::vector<int32_t> last(static_cast<size_t>(f.rows), 0);
    for (int row = 0; elapsed() < 0.5 || (different < 20 && elapsed() < 60); row = (row + 1) % f.rows) {
      int32_t *number = t.at<int32_t>(version, row);
      const int32_t before = __atomic_load_n(number, __ATOMIC_ACQUIRE);
      if (before % 2 != 0) {
        refused++;
        continue;
      }
      const panoptim_int64 step = __atomic_load_n(t.at<panoptim_int64>(steps, row), __ATOMIC_RELAXED);
      for (size_t i = 0; i < parameters.size(); i++) {
        parameters[i] = load(t.at<float>(parameter, row) + i);
        states[i] = load(t.at<float>(state, row) + i);
      }
      __atomic_thread_fence(__ATOMIC_ACQUIRE);
      if (__atomic_load_n(number, __ATOMIC_RELAXED) != before) {
        refused++;
        continue;
      }
      // A float counts to 2^24.
      const float expected = std::min(static_cast<float>(before / 2), 16777216.0f);
      bool whole = step == before / 2;
      for (size_t i = 0; i < parameters.size(); i++) whole &= states[i] == expected && parameters[i] == parameters[0];
      torn += !whole;
      different += before != last[static_cast<size_t>(row)];
      last[static_cast<size_t>(row)] = before;
    }
    done = true;
  });
  panoptim_rows rows = r.call(f, t, available_tiers().back());
  for (rows.step = 1; !done; rows.step++) CHECK(panoptim_step_rows(&rows) == PANOPTIM_OK, "%s", rows.error);
  reader.join();
  CHECK(torn == 0, "%d rows are torn; %d values seen, %d reads repeated", torn, different, refused);
  CHECK(different >= 20, "%d different values seen", different);
}

TEST(nothing_beyond_a_row_or_list_is_accessed) {
  for (const bool at_start : {true, false}) {
    for (const panoptim_int64 width : {1, 2, 15, 16, 17, 33, 64, 127, 128, 129, 144, 145, 1023, 1024, 1025, 1200}) {
      for (const int count : {1, 3}) {
        form f = form_of(adam(), width);
        f.rows = 3;
        f.counts_steps = true;
        f.factor = PANOPTIM_ROW_FACTOR_ADAGRAD;
        table t(f);
        request r(f, count == 1 ? std::vector<int>{0} : std::vector<int>{2, 0, 1},
                  count == 1 ? std::vector<int>{2} : std::vector<int>{2, 0, 1});
        std::vector<std::unique_ptr<guarded_memory>> memories;
        const auto guarded = [&](const auto *data, panoptim_int64 size) {
          const size_t bytes = static_cast<size_t>(size) * sizeof *data;
          memories.push_back(std::make_unique<guarded_memory>(bytes, at_start));
          std::memcpy(memories.back()->start(), data, bytes);
          return static_cast<std::remove_reference_t<decltype(*data)> *>(memories.back()->start());
        };
        panoptim_rows rows = r.call(f, t, PANOPTIM_TIER_BASELINE);
        rows.places = guarded(rows.places, count);
        rows.first = guarded(rows.first, count);
        rows.next = guarded(rows.next, rows.gradient_count);
        rows.gradients = guarded(rows.gradients, rows.gradient_count * width);
        rows.coefficients = guarded(rows.coefficients, 1);
        rows.missed = guarded(rows.missed, rows.replayed);
        rows.gaps = guarded(rows.gaps, PANOPTIM_ROW_GAPS);
        rows.moves = guarded(rows.moves, PANOPTIM_ROW_GAPS);
        rows.decays = guarded(rows.decays, PANOPTIM_ROW_GAPS);
        rows.rule = guarded(rows.rule, 1);
        const auto guard_operand = [&](panoptim_row_operand &operand) {
          if (operand.stride == 0) return;
          memories.push_back(std::make_unique<guarded_memory>(static_cast<size_t>(count * operand.stride), at_start));
          operand.base = static_cast<char *>(memories.back()->start());
        };
        guard_operand(rows.parameter);
        for (panoptim_row_operand &each : rows.state) guard_operand(each);
        guard_operand(rows.sum);
        guard_operand(rows.steps);
        guard_operand(rows.version);
        for (int tier : available_tiers()) {
          rows.tier = tier;
          run(rows, 1);
        }
      }
    }
  }
}

TEST(operands_without_a_use_are_not_read) {
  form f = form_of(heavy_ball(), 40);
  table t(f), expected(f);
  request r = random_request(f);
  define(f, expected, r);
  panoptim_rows rows = r.call(f, t, available_tiers().back());
  char *const wild = reinterpret_cast<char *>(static_cast<uintptr_t>(64));
  for (int i = 1; i < PANOPTIM_STATES; i++) rows.state[i] = {wild, 8};
  rows.missed = nullptr;
  rows.gaps = nullptr;
  run(rows, 1);
  CHECK(t.has_bits_of(expected), "%s differs", t.difference_from(expected).c_str());
}

TEST(no_rows_need_no_operands) {
  const panoptim_plan rule{};
  for (int tier : available_tiers()) {
    for (int threads : {1, 3}) {
      panoptim_rows rows{};
      rows.width = 1;
      rows.rule = &rule;
      rows.tier = tier;
      run(rows, threads);
      rows.gradient_count = 5;
      run(rows, threads);
    }
  }
}

TEST(wrong_arguments_are_refused) {
  CHECK(panoptim_step_rows(nullptr) == PANOPTIM_INVALID_ARGUMENT, "NULL");
  const auto refused = [](const char *words, const std::function<void(panoptim_rows &)> &spoil) {
    check_refused(words, PANOPTIM_INVALID_ARGUMENT, spoil);
  };
  check_refused("tier 17: there is no such tier", PANOPTIM_UNSUPPORTED_TIER, [](panoptim_rows &r) { r.tier = 17; });
  check_refused("tier -1: there is no such tier", PANOPTIM_UNSUPPORTED_TIER, [](panoptim_rows &r) { r.tier = -1; });
  refused("sharing is 7 in shares of", [](panoptim_rows &r) { r.sharing = 7; });
  refused("sharing is 1 in shares of 0", [](panoptim_rows &r) {
    r.sharing = PANOPTIM_ANNOUNCED;
    r.share = 0;
  });
  refused("rule is NULL", [](panoptim_rows &r) { r.rule = nullptr; });
  panoptim_plan illegal{};
  illegal.nesterov = PANOPTIM_NESTEROV_NEW;
  panoptim_plan unknown{};
  unknown.update = 6;
  panoptim_plan negative{};
  negative.decay = -1;
  for (const panoptim_plan *rule : {&illegal, &unknown, &negative}) {
    refused("rule is no legal composition", [=](panoptim_rows &r) { r.rule = rule; });
  }
  refused("factor is 2, not 0 to 1", [](panoptim_rows &r) { r.factor = 2; });
  refused("factor is -1, not 0 to 1", [](panoptim_rows &r) { r.factor = -1; });
  refused("count is -1 and replayed 5, not 0 or more", [](panoptim_rows &r) { r.count = -1; });
  refused("count is 3 and replayed -2, not 0 or more", [](panoptim_rows &r) { r.replayed = -2; });
  refused("gradient_count is -1, not 0 to 2147483647", [](panoptim_rows &r) { r.gradient_count = -1; });
  refused("gradient_count is 2147483648, not 0 to", [](panoptim_rows &r) { r.gradient_count = 1ll << 31; });
  refused("width is 0, not 1 or more", [](panoptim_rows &r) { r.width = 0; });
  refused("width is -5, not 1 or more", [](panoptim_rows &r) { r.width = -5; });
  refused("or 1099511627776 rows and 4 gradients have more than 2^54 elements", [](panoptim_rows &r) {
    r.count = 1ll << 40;
    r.width = 1ll << 40;
  });
  refused("or 1 rows and 4 gradients have more than 2^54 elements", [](panoptim_rows &r) {
    r.count = 1;
    r.width = 1ll << 53;
  });
  refused("places is missing", [](panoptim_rows &r) { r.places = nullptr; });
  refused("first is missing", [](panoptim_rows &r) { r.first = nullptr; });
  refused("next is missing", [](panoptim_rows &r) { r.next = nullptr; });
  refused("gradients is missing", [](panoptim_rows &r) { r.gradients = nullptr; });
  refused("parameter is missing", [](panoptim_rows &r) { r.parameter.stride = 0; });
  refused("sum is missing", [](panoptim_rows &r) { r.sum.stride = 0; });
  refused("coefficients is missing", [](panoptim_rows &r) { r.coefficients = nullptr; });
  refused("steps is missing", [](panoptim_rows &r) { r.steps.stride = 0; });
  refused("missed is missing", [](panoptim_rows &r) { r.missed = nullptr; });
  refused("gaps is missing", [](panoptim_rows &r) { r.gaps = nullptr; });
  refused("moves is missing", [](panoptim_rows &r) { r.moves = nullptr; });
  refused("decays is missing", [](panoptim_rows &r) { r.decays = nullptr; });
  refused("state 0 of 2 is missing", [](panoptim_rows &r) { r.state[0].stride = 0; });
  refused("state 1 of 2 is missing", [](panoptim_rows &r) { r.state[1].stride = 0; });
  const auto at = [](const int32_t *list, int index) { return const_cast<int32_t *>(list) + index; };
  for (int32_t wrong : {-2, 4, INT32_MAX, INT32_MIN}) {
    refused(("first[2] is " + std::to_string(wrong) + ", not -1 to 3").c_str(),
            [=](panoptim_rows &r) { *at(r.first, 2) = wrong; });
  }
  for (int32_t wrong : {-2, 0, 1, 4, INT32_MAX, INT32_MIN}) {
    refused(("next[1] is " + std::to_string(wrong) + ", not -1 or 2 to 3").c_str(),
            [=](panoptim_rows &r) { *at(r.next, 1) = wrong; });
  }
  refused("first[0] is 0, not -1 to -1", [=](panoptim_rows &r) {
    r.gradient_count = 0;
    *at(r.first, 0) = 0;
  });
}
