// Operations on vectors: every tier and every number of threads reaches the bits of the definition.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "check.h"
#include "problem.h"
#include "rule/arithmetic.h"

namespace {

const std::vector<panoptim_int64> sizes = {0,
                                           1,
                                           2,
                                           7,
                                           8,
                                           9,
                                           15,
                                           16,
                                           17,
                                           31,
                                           33,
                                           63,
                                           65,
                                           4097,
                                           PANOPTIM_CHUNK - 1,
                                           PANOPTIM_CHUNK,
                                           PANOPTIM_CHUNK + 1,
                                           2 * PANOPTIM_CHUNK + 17,
                                           5 * PANOPTIM_CHUNK + 3};

constexpr float factor = -1.7f;
constexpr float untouched = 12345;

// Random operands, with `shift` floats before each one.
struct operands {
  std::vector<float> x, y, result;
  std::vector<double> sums;
  panoptim_int64 length;
  size_t shift;

  operands(panoptim_int64 length, size_t shift, bool special, uint64_t seed) : length(length), shift(shift) {
    random_numbers numbers(seed);
    const size_t size = static_cast<size_t>(length) + shift + 32;
    for (size_t i = 0; i < size; i++) {
      x.push_back(numbers.value(special));
      y.push_back(numbers.value(special));
    }
    result.assign(size, untouched);
    sums.assign(static_cast<size_t>(length / PANOPTIM_CHUNK) + 2, untouched);
  }

  panoptim_vectors call(int operation, int tier) {
    panoptim_vectors vectors{};
    vectors.x = x.data() + shift;
    vectors.y = y.data() + shift;
    vectors.result = result.data() + shift;
    vectors.sums = sums.data();
    vectors.length = length;
    vectors.factor = factor;
    vectors.operation = operation;
    vectors.tier = tier;
    return vectors;
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

// The definition: one element at a time.
void define(operands &o, int operation) {
  const float *x = o.x.data() + o.shift;
  const float *y = o.y.data() + o.shift;
  for (panoptim_int64 start = 0; start < o.length; start += PANOPTIM_CHUNK) {
    double lanes[PANOPTIM_LANES] = {};
    double largest = 0;
    for (panoptim_int64 i = start; i < std::min<panoptim_int64>(start + PANOPTIM_CHUNK, o.length); i++) {
      const size_t at = o.shift + static_cast<size_t>(i);
      const int lane = static_cast<int>((i - start) % PANOPTIM_LANES);
      switch (operation) {
        case PANOPTIM_VECTOR_DOT: lanes[lane] += static_cast<double>(x[i]) * static_cast<double>(y[i]); break;
        case PANOPTIM_VECTOR_SUM_ABSOLUTE: lanes[lane] += std::fabs(static_cast<double>(x[i])); break;
        case PANOPTIM_VECTOR_LARGEST:
          if (std::isnan(x[i]) || std::fabs(x[i]) > largest) largest = std::fabs(x[i]);
          break;
        case PANOPTIM_VECTOR_ADD: o.result[at] = canonical(std::fma(factor, x[i], y[i])); break;
        default: o.result[at] = canonical(factor * x[i]);
      }
    }
    if (operation == PANOPTIM_VECTOR_ADD || operation == PANOPTIM_VECTOR_SCALE) continue;
    for (int half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
      for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    }
    o.sums[static_cast<size_t>(start / PANOPTIM_CHUNK)] = operation == PANOPTIM_VECTOR_LARGEST ? largest : lanes[0];
  }
  unify_nans(o.sums);
}

// All threads but the first are helpers, from before the call until after it.
void run(panoptim_vectors &vectors, int threads, int times = 1) {
  std::atomic<bool> done{false};
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; i++) {
    helpers.emplace_back([&] {
      for (; !done; std::this_thread::yield()) panoptim_help_vectors(&vectors);
    });
  }
  for (int i = 0; i < times; i++) {
    vectors.share = 1000;
    __atomic_store_n(&vectors.sharing, threads > 1 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
    CHECK(panoptim_run_vectors(&vectors) == PANOPTIM_OK, "%s", vectors.error);
    CHECK(vectors.sharing == PANOPTIM_CLOSED, "sharing is %d", vectors.sharing);
  }
  done = true;
  for (std::thread &each : helpers) each.join();
  CHECK(vectors.helping == 0, "%d", vectors.helping);
}

void check_defined(panoptim_int64 length, size_t shift, bool special, int threads) {
  for (int operation = 0; operation < PANOPTIM_VECTOR_OPERATIONS; operation++) {
    const operands initial(length, shift, special, 41);
    operands expected(initial);
    define(expected, operation);
    for (int tier : available_tiers()) {
      operands actual(initial);
      panoptim_vectors vectors = actual.call(operation, tier);
      run(vectors, threads);
      unify_nans(actual.sums);
      CHECK(same_bits(actual.result, expected.result) && same_bits(actual.sums, expected.sums) &&
                same_bits(actual.x, initial.x) && same_bits(actual.y, initial.y),
            "operation %d in tier %d with %d threads differs: length %lld, shift %zu, special %d", operation, tier,
            threads, length, shift, special);
    }
  }
}

void check_refused(const char *words, int32_t status, const std::function<void(panoptim_vectors &)> &spoil) {
  operands o(40, 0, false, 1);
  const operands before(o);
  panoptim_vectors vectors = o.call(PANOPTIM_VECTOR_ADD, PANOPTIM_TIER_BASELINE);
  spoil(vectors);
  const int32_t actual = panoptim_run_vectors(&vectors);
  CHECK(actual == status, "status %d, not %d, with '%s'", actual, status, vectors.error);
  CHECK(std::string(vectors.error).find(words) != std::string::npos, "'%s' has no '%s'", vectors.error, words);
  CHECK(vectors.sharing == PANOPTIM_CLOSED, "%d", vectors.sharing);
  CHECK(same_bits(o.result, before.result) && same_bits(o.x, before.x) && same_bits(o.sums, before.sums),
        "something was written although: %s", vectors.error);
}

}  // namespace

TEST(tiers_agree_for_every_size) {
  for (panoptim_int64 size : sizes) check_defined(size, 0, false, 1);
}

TEST(tiers_agree_on_unaligned_and_special_numbers) {
  for (panoptim_int64 size : sizes) {
    check_defined(size, 1, true, 1);
    check_defined(size, 7, false, 1);
  }
}

TEST(threads_agree) {
  for (int threads : {2, 3, 7}) {
    for (panoptim_int64 size : {0, 1, 999, PANOPTIM_CHUNK + 1, 5 * PANOPTIM_CHUNK + 3}) {
      check_defined(size, 0, true, threads);
    }
  }
}

TEST(helpers_may_come_at_any_time) {
  operands o(3 * PANOPTIM_CHUNK + 5, 0, false, 3);
  operands expected(o);
  define(expected, PANOPTIM_VECTOR_ADD);
  panoptim_vectors vectors = o.call(PANOPTIM_VECTOR_ADD, available_tiers().back());
  run(vectors, 3, 2000);
  CHECK(same_bits(o.result, expected.result), "other bits");
}

TEST(helpers_take_shares) {
  for (int attempt = 0;; attempt++) {
    operands o(2000000, 0, false, 3);
    panoptim_vectors vectors = o.call(PANOPTIM_VECTOR_DOT, PANOPTIM_TIER_BASELINE);
    vectors.share = PANOPTIM_CHUNK;
    vectors.sharing = PANOPTIM_ANNOUNCED;
    std::thread helper([&] { panoptim_help_vectors(&vectors); });
    while (__atomic_load_n(&vectors.helping, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
    CHECK(panoptim_run_vectors(&vectors) == PANOPTIM_OK, "%s", vectors.error);
    helper.join();
    if (vectors.helped > 0) return;
    // The system may not have run the helper during the call.
    CHECK(attempt < 100, "a helper that waits for a call has never taken a share of it");
  }
}

TEST(the_result_may_be_an_operand) {
  for (int tier : available_tiers()) {
    for (const bool of_x : {true, false}) {
      operands expected(PANOPTIM_CHUNK + 5, 1, true, 8);
      operands o(expected);
      define(expected, PANOPTIM_VECTOR_ADD);
      panoptim_vectors vectors = o.call(PANOPTIM_VECTOR_ADD, tier);
      std::vector<float> &written = of_x ? o.x : o.y;
      vectors.result = written.data() + o.shift;
      run(vectors, 1);
      CHECK(std::equal(written.begin() + 1, written.begin() + 1 + static_cast<std::ptrdiff_t>(o.length),
                       expected.result.begin() + 1, [](float a, float b) { return bits_of(a) == bits_of(b); }),
            "tier %d differs", tier);
    }
  }
}

TEST(a_sum_of_large_floats_is_finite) {
  for (int tier : available_tiers()) {
    operands o(3 * PANOPTIM_CHUNK, 0, false, 2);
    std::fill(o.x.begin(), o.x.end(), 3e38f);
    std::fill(o.y.begin(), o.y.end(), -3e38f);
    panoptim_vectors vectors = o.call(PANOPTIM_VECTOR_DOT, tier);
    run(vectors, 1);
    for (size_t i = 0; i < 3; i++) CHECK(std::isfinite(o.sums[i]) && o.sums[i] < -1e80, "%g", o.sums[i]);
  }
}

TEST(nothing_beyond_a_vector_is_accessed) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (const bool at_end : {true, false}) {
    char *memory[3];
    for (char *&each : memory) {
      each = static_cast<char *>(mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      CHECK(each != MAP_FAILED && mprotect(each + page, page, PROT_READ | PROT_WRITE) == 0, "mmap");
    }
    for (panoptim_int64 length : {0, 1, 5, 15, 16, 17, 33}) {
      for (int tier : available_tiers()) {
        for (int operation = 0; operation < PANOPTIM_VECTOR_OPERATIONS; operation++) {
          const auto place = [&](char *start) {
            const size_t before = at_end ? page - static_cast<size_t>(length) * sizeof(float) : 0;
            return reinterpret_cast<float *>(start + page + before);
          };
          operands o(length, 0, false, 1);
          panoptim_vectors vectors = o.call(operation, tier);
          vectors.x = place(memory[0]);
          vectors.y = place(memory[1]);
          vectors.result = place(memory[2]);
          run(vectors, 1);
        }
      }
    }
    for (char *each : memory) munmap(each, 3 * page);
  }
}

TEST(wrong_arguments_are_refused) {
  CHECK(panoptim_run_vectors(nullptr) == PANOPTIM_INVALID_ARGUMENT, "NULL");
  const auto refused = [](const char *words, const std::function<void(panoptim_vectors &)> &spoil) {
    check_refused(words, PANOPTIM_INVALID_ARGUMENT, spoil);
  };
  check_refused("tier 17: there is no such tier", PANOPTIM_UNSUPPORTED_TIER, [](panoptim_vectors &v) { v.tier = 17; });
  check_refused("tier -1: there is no such tier", PANOPTIM_UNSUPPORTED_TIER, [](panoptim_vectors &v) { v.tier = -1; });
  refused("operation is 5, not 0 to 4", [](panoptim_vectors &v) { v.operation = 5; });
  refused("operation is -1, not 0 to 4", [](panoptim_vectors &v) { v.operation = -1; });
  refused("length is -1, not 0 or more", [](panoptim_vectors &v) { v.length = -1; });
  refused("x is NULL, but operation 3 needs it", [](panoptim_vectors &v) { v.x = nullptr; });
  refused("y is NULL, but operation 3 needs it", [](panoptim_vectors &v) { v.y = nullptr; });
  refused("result is NULL, but operation 3 needs it", [](panoptim_vectors &v) { v.result = nullptr; });
  refused("sums is NULL, but operation 0 needs it", [](panoptim_vectors &v) {
    v.operation = PANOPTIM_VECTOR_DOT;
    v.sums = nullptr;
  });
  refused("result overlaps a part of x or y", [](panoptim_vectors &v) { v.x = v.result + 39; });
  refused("result overlaps a part of x or y", [](panoptim_vectors &v) { v.y = v.result - 1; });
  refused("sharing is 7 in shares of 0", [](panoptim_vectors &v) { v.sharing = 7; });
  refused("sharing is 1 in shares of 0", [](panoptim_vectors &v) { v.sharing = PANOPTIM_ANNOUNCED; });
}

TEST(operands_without_a_use_may_be_missing) {
  for (int tier : available_tiers()) {
    for (int operation = 0; operation < PANOPTIM_VECTOR_OPERATIONS; operation++) {
      operands o(20, 0, false, 1);
      panoptim_vectors vectors = o.call(operation, tier);
      const bool sums = operation <= PANOPTIM_VECTOR_LARGEST;
      if (sums) vectors.result = nullptr;
      if (!sums) vectors.sums = nullptr;
      if (operation != PANOPTIM_VECTOR_DOT && operation != PANOPTIM_VECTOR_ADD) vectors.y = nullptr;
      run(vectors, 1);
      vectors = {};
      vectors.operation = operation;
      vectors.tier = tier;
      run(vectors, 1);
    }
  }
}
