// Factored second moments: every tier and every number of threads reaches the bits of the definition.
#include <atomic>
#include <functional>
#include <thread>

#include "check.h"
#include "guarded.h"
#include "problem.h"
#include "rule/arithmetic.h"

namespace {

constexpr panoptim_int64 block = PANOPTIM_FACTORED_BLOCK;

struct size_of_matrix {
  panoptim_int64 rows, columns;
};

const std::vector<size_of_matrix> sizes = {{0, 0},
                                           {0, 5},
                                           {5, 0},
                                           {1, 1},
                                           {1, 15},
                                           {1, 16},
                                           {1, 17},
                                           {3, 33},
                                           {17, 1},
                                           {block - 1, 8},
                                           {block, 31},
                                           {block + 1, 16},
                                           {3 * block + 5, 65},
                                           {PANOPTIM_CHUNK + 1, 1},
                                           {1, PANOPTIM_CHUNK - 1},
                                           {2, PANOPTIM_CHUNK},
                                           {block + 2, PANOPTIM_CHUNK + 1},
                                           {5, 2 * PANOPTIM_CHUNK + 19}};

constexpr float untouched = 12345;

panoptim_int64 chunks_of(panoptim_int64 elements) {
  return (elements + PANOPTIM_CHUNK - 1) / PANOPTIM_CHUNK;
}

enum variant { row_sums_only, all_sums, rows_scaled, columns_scaled, vector, variants };

// Random operands, with `shift` floats before each one.
struct operands {
  std::vector<float> matrix, result, state, row_factors, column_factors;
  std::vector<double> row_sums, column_sums, squares;
  panoptim_int64 rows, columns;
  size_t shift;

  operands(size_of_matrix size, size_t shift, bool special, uint64_t seed)
      : rows(size.rows), columns(size.columns), shift(shift) {
    random_numbers numbers(seed);
    const size_t padding = shift + 32;
    const size_t elements = static_cast<size_t>(rows * columns);
    for (size_t i = 0; i < elements + padding; i++) {
      matrix.push_back(numbers.value(special));
      state.push_back(std::fabs(numbers.value(special)));
    }
    for (size_t i = 0; i < static_cast<size_t>(rows) + padding; i++) row_factors.push_back(numbers.value(special));
    for (size_t i = 0; i < static_cast<size_t>(columns) + padding; i++) {
      column_factors.push_back(numbers.value(special));
    }
    result.assign(elements + padding, untouched);
    row_sums.assign(static_cast<size_t>(rows * chunks_of(columns)) + 1, untouched);
    column_sums.assign(static_cast<size_t>((rows + block - 1) / block * columns) + 1, untouched);
    squares.assign(static_cast<size_t>(chunks_of(rows * columns)) + 1, untouched);
  }

  panoptim_factored call(int variant, int tier) {
    panoptim_factored f{};
    const bool sums = variant <= all_sums;
    f.matrix = matrix.data() + shift;
    f.operation = sums                ? PANOPTIM_FACTORED_SUMS
                  : variant == vector ? PANOPTIM_FACTORED_VECTOR
                                      : PANOPTIM_FACTORED_SCALE;
    if (sums) f.row_sums = row_sums.data();
    if (variant == all_sums) f.column_sums = column_sums.data();
    if (!sums) f.result = result.data() + shift;
    if (!sums && variant != rows_scaled) f.squares = squares.data();
    if (variant == vector) f.state = state.data() + shift;
    if (variant == rows_scaled || variant == columns_scaled) f.row_factors = row_factors.data() + shift;
    if (variant == columns_scaled) f.column_factors = column_factors.data() + shift;
    f.rows = rows;
    f.columns = columns;
    f.addend = 1e-3;
    f.scale = -0.7f;
    f.most = 4;
    f.take = 0.3f;
    f.least = 1e-2f;
    f.tier = tier;
    return f;
  }
};

template <class Number>
bool same_bits(const std::vector<Number> &a, const std::vector<Number> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Number)) == 0;
}

// The bits of a NaN among the sums are not defined.
void unify_nans(std::vector<double> &sums) {
  for (double &each : sums) {
    if (each != each) each = std::numeric_limits<double>::quiet_NaN();
  }
}

bool same(operands &a, const operands &b) {
  for (std::vector<double> *each : {&a.row_sums, &a.column_sums, &a.squares}) unify_nans(*each);
  return same_bits(a.matrix, b.matrix) && same_bits(a.result, b.result) && same_bits(a.state, b.state) &&
         same_bits(a.row_factors, b.row_factors) && same_bits(a.column_factors, b.column_factors) &&
         same_bits(a.row_sums, b.row_sums) && same_bits(a.column_sums, b.column_sums) &&
         same_bits(a.squares, b.squares);
}

// The sum of a chunk, whose lanes are added in halves.
template <class Term>
double chunk_sum(panoptim_int64 begin, panoptim_int64 end, Term term) {
  double lanes[PANOPTIM_LANES] = {};
  for (panoptim_int64 i = begin; i < end; i++) lanes[(i - begin) % PANOPTIM_LANES] += term(i);
  for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
    for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

// The definition: one element at a time.
void define(operands &o, int variant) {
  const panoptim_factored f = o.call(variant, PANOPTIM_TIER_BASELINE);
  const auto term = [&](panoptim_int64 i) {
    const double x = static_cast<double>(f.scale * f.matrix[i]);
    return x * x + f.addend;
  };
  const panoptim_int64 chunks = chunks_of(f.columns);
  for (panoptim_int64 i = 0; f.row_sums && i < f.rows * chunks; i++) {
    const panoptim_int64 begin = i / chunks * f.columns + i % chunks * PANOPTIM_CHUNK;
    f.row_sums[i] = chunk_sum(begin, std::min(begin + PANOPTIM_CHUNK, (i / chunks + 1) * f.columns), term);
  }
  for (panoptim_int64 i = 0; f.column_sums && i < (f.rows + block - 1) / block * f.columns; i++) {
    const panoptim_int64 top = i / f.columns * block;
    double sum = 0;
    for (panoptim_int64 row = top; row < std::min(top + block, f.rows); row++) {
      sum += term(row * f.columns + i % f.columns);
    }
    f.column_sums[i] = sum;
  }
  for (panoptim_int64 i = 0; f.result && i < f.rows * f.columns; i++) {
    const float x = f.scale * f.matrix[i];
    if (f.state) {
      const float square = std::fma(x, x, static_cast<float>(f.addend));
      f.state[i] = canonical(std::fma(f.take, square - f.state[i], f.state[i]));
      const float divisor = f.state[i] < f.least ? f.least : f.state[i];
      f.result[i] = canonical(x / std::sqrt(divisor));
    } else {
      const float row = f.row_factors[i / f.columns];
      const float factor = f.column_factors ? row * f.column_factors[i % f.columns] : row;
      f.result[i] = canonical(x * (factor > f.most ? f.most : factor));
    }
  }
  for (panoptim_int64 i = 0; f.squares && i < chunks_of(f.rows * f.columns); i++) {
    f.squares[i] = chunk_sum(i * PANOPTIM_CHUNK, std::min((i + 1) * PANOPTIM_CHUNK, f.rows * f.columns),
                             [&](panoptim_int64 j) { return std::pow(static_cast<double>(f.result[j]), 2); });
  }
}

// All threads but the first are helpers, from before the call until after it.
void run(panoptim_factored &factored, int threads, int times = 1) {
  std::atomic<bool> done{false};
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; i++) {
    helpers.emplace_back([&] {
      for (; !done; std::this_thread::yield()) panoptim_help_factored(&factored);
    });
  }
  for (int i = 0; i < times; i++) {
    factored.share = 1000;
    __atomic_store_n(&factored.sharing, threads > 1 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
    CHECK(panoptim_run_factored(&factored) == PANOPTIM_OK, "%s", factored.error);
    CHECK(factored.sharing == PANOPTIM_CLOSED, "sharing is %d", factored.sharing);
  }
  done = true;
  for (std::thread &each : helpers) each.join();
  CHECK(factored.helping == 0, "%d", factored.helping);
}

void check_defined(size_of_matrix size, size_t shift, bool special, int threads) {
  const operands initial(size, shift, special, 41);
  for (int variant = 0; variant < variants; variant++) {
    operands expected(initial);
    define(expected, variant);
    for (std::vector<double> *each : {&expected.row_sums, &expected.column_sums, &expected.squares}) unify_nans(*each);
    for (int tier : available_tiers()) {
      operands actual(initial);
      panoptim_factored factored = actual.call(variant, tier);
      run(factored, threads);
      CHECK(same(actual, expected), "variant %d in tier %d with %d threads differs: %lld x %lld, shift %zu, special %d",
            variant, tier, threads, size.rows, size.columns, shift, special);
    }
  }
}

void check_refused(const char *words, int32_t status, int variant,
                   const std::function<void(panoptim_factored &)> &spoil) {
  operands o({4, 10}, 0, false, 1);
  const operands before(o);
  panoptim_factored factored = o.call(variant, PANOPTIM_TIER_BASELINE);
  spoil(factored);
  const int32_t actual = panoptim_run_factored(&factored);
  CHECK(actual == status, "status %d, not %d, with '%s'", actual, status, factored.error);
  CHECK(std::string(factored.error).find(words) != std::string::npos, "'%s' has no '%s'", factored.error, words);
  CHECK(factored.sharing == PANOPTIM_CLOSED, "%d", factored.sharing);
  CHECK(same(o, before), "something was written although: %s", factored.error);
}

}  // namespace

TEST(tiers_agree_for_every_size) {
  for (size_of_matrix size : sizes) check_defined(size, 0, false, 1);
}

TEST(tiers_agree_on_unaligned_and_special_numbers) {
  for (size_of_matrix size : sizes) {
    check_defined(size, 1, true, 1);
    check_defined(size, 7, false, 1);
  }
}

TEST(threads_agree) {
  for (int threads : {2, 3, 7}) {
    for (size_of_matrix size : sizes) check_defined(size, 0, true, threads);
  }
}

TEST(helpers_may_come_at_any_time) {
  operands o({3 * block + 5, 65}, 0, false, 3);
  operands expected(o);
  define(expected, all_sums);
  panoptim_factored factored = o.call(all_sums, available_tiers().back());
  run(factored, 3, 2000);
  CHECK(same(o, expected), "other bits");
}

TEST(helpers_take_shares) {
  for (int attempt = 0;; attempt++) {
    operands o({2000, 1000}, 0, false, 3);
    panoptim_factored factored = o.call(all_sums, PANOPTIM_TIER_BASELINE);
    factored.share = PANOPTIM_CHUNK;
    factored.sharing = PANOPTIM_ANNOUNCED;
    std::thread helper([&] { panoptim_help_factored(&factored); });
    while (__atomic_load_n(&factored.helping, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
    CHECK(panoptim_run_factored(&factored) == PANOPTIM_OK, "%s", factored.error);
    helper.join();
    if (factored.helped > 0) return;
    // The system may not have run the helper during the call.
    CHECK(attempt < 100, "a helper that waits for a call has never taken a share of it");
  }
}

TEST(the_result_may_be_the_matrix) {
  for (int tier : available_tiers()) {
    for (int variant : {rows_scaled, columns_scaled, vector}) {
      operands expected({3, 7000}, 1, true, 8);
      operands o(expected);
      define(expected, variant);
      panoptim_factored factored = o.call(variant, tier);
      factored.result = o.matrix.data() + o.shift;
      run(factored, 2);
      CHECK(std::equal(o.matrix.begin() + 1, o.matrix.begin() + 21001, expected.result.begin() + 1,
                       [](float a, float b) { return bits_of(a) == bits_of(b); }),
            "variant %d in tier %d differs", variant, tier);
    }
  }
}

TEST(sums_of_large_and_small_floats_are_exact) {
  for (int tier : available_tiers()) {
    for (float x : {3e38f, 1e-45f}) {
      operands o({block, 32}, 0, false, 2);
      std::fill(o.matrix.begin(), o.matrix.end(), x);
      panoptim_factored factored = o.call(all_sums, tier);
      factored.scale = 1;
      factored.addend = 0;
      run(factored, 1);
      const double square = static_cast<double>(x) * static_cast<double>(x);
      CHECK(o.row_sums[0] == 32 * square && o.column_sums[31] == block * square, "%g and %g", o.row_sums[0],
            o.column_sums[31]);
    }
  }
}

TEST(nothing_beyond_an_operand_is_accessed) {
  for (const bool at_start : {true, false}) {
    for (size_of_matrix size : sizes) {
      if (size.rows * size.columns > 20000) continue;
      operands o(size, 0, false, 1);
      const size_t elements = static_cast<size_t>(size.rows * size.columns);
      const guarded_memory matrix(elements * sizeof(float), at_start), result(elements * sizeof(float), at_start),
          state(elements * sizeof(float), at_start), rows(static_cast<size_t>(size.rows) * sizeof(float), at_start),
          columns(static_cast<size_t>(size.columns) * sizeof(float), at_start),
          row_sums((o.row_sums.size() - 1) * sizeof(double), at_start),
          column_sums((o.column_sums.size() - 1) * sizeof(double), at_start),
          squares((o.squares.size() - 1) * sizeof(double), at_start);
      for (int tier : available_tiers()) {
        for (int variant = 0; variant < variants; variant++) {
          panoptim_factored factored = o.call(variant, tier);
          factored.matrix = static_cast<float *>(matrix.start());
          if (factored.result) factored.result = static_cast<float *>(result.start());
          if (factored.state) factored.state = static_cast<float *>(state.start());
          if (factored.row_factors) factored.row_factors = static_cast<float *>(rows.start());
          if (factored.column_factors) factored.column_factors = static_cast<float *>(columns.start());
          if (factored.row_sums) factored.row_sums = static_cast<double *>(row_sums.start());
          if (factored.column_sums) factored.column_sums = static_cast<double *>(column_sums.start());
          if (factored.squares) factored.squares = static_cast<double *>(squares.start());
          run(factored, 1);
        }
      }
    }
  }
}

TEST(wrong_arguments_are_refused) {
  CHECK(panoptim_run_factored(nullptr) == PANOPTIM_INVALID_ARGUMENT, "NULL");
  const auto refused = [](const char *words, int variant, const std::function<void(panoptim_factored &)> &spoil) {
    check_refused(words, PANOPTIM_INVALID_ARGUMENT, variant, spoil);
  };
  for (int tier : {17, -1}) {
    check_refused("there is no such tier", PANOPTIM_UNSUPPORTED_TIER, all_sums,
                  [=](panoptim_factored &f) { f.tier = tier; });
  }
  refused("operation is 3, not 0 to 2", all_sums, [](panoptim_factored &f) { f.operation = 3; });
  refused("operation is -1, not 0 to 2", all_sums, [](panoptim_factored &f) { f.operation = -1; });
  refused("-1 rows and 10 columns, not 0 or more", all_sums, [](panoptim_factored &f) { f.rows = -1; });
  refused("4 rows and -2 columns, not 0 or more", all_sums, [](panoptim_factored &f) { f.columns = -2; });
  refused("more than 2^54 elements", all_sums, [](panoptim_factored &f) { f.rows = f.columns = 1ll << 40; });
  refused("matrix is NULL, but operation 0 needs it", all_sums, [](panoptim_factored &f) { f.matrix = nullptr; });
  refused("row_sums is NULL, but operation 0", all_sums, [](panoptim_factored &f) { f.row_sums = nullptr; });
  refused("result is NULL, but operation 1", rows_scaled, [](panoptim_factored &f) { f.result = nullptr; });
  refused("row_factors is NULL, but operation 1", rows_scaled, [](panoptim_factored &f) { f.row_factors = nullptr; });
  refused("state is NULL, but operation 2 needs it", vector, [](panoptim_factored &f) { f.state = nullptr; });
  refused("result overlaps", vector, [](panoptim_factored &f) { f.matrix = f.result + 39; });
  refused("result overlaps", vector, [](panoptim_factored &f) { f.matrix = f.result - 1; });
  refused("result overlaps", vector, [](panoptim_factored &f) { f.state = f.result; });
  refused("result overlaps", columns_scaled, [](panoptim_factored &f) { f.row_factors = f.result + 1; });
  refused("result overlaps", columns_scaled, [](panoptim_factored &f) { f.column_factors = f.result - 9; });
  refused("sharing is 7 in shares of 0", all_sums, [](panoptim_factored &f) { f.sharing = 7; });
  refused("sharing is 1 in shares of 0", all_sums, [](panoptim_factored &f) { f.sharing = PANOPTIM_ANNOUNCED; });
}
