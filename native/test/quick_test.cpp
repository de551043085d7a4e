// The two paths of a step, with and without the quick one, refuse the same plans with the same words, and reach the
// same bits with all others.
#include <climits>
#include <functional>

#include "call.h"
#include "check.h"
#include "problem.h"

namespace {

using change = std::function<void(random_numbers &, problem &, panoptim_plan &)>;

// Of a number that may have been spoiled before.
panoptim_int64 one_less(panoptim_int64 count) {
  return count > 0 ? count - 1 : 0;
}

template <class Value>
Value one_of(random_numbers &numbers, const std::vector<Value> &values) {
  return values[static_cast<size_t>(numbers.below(static_cast<int>(values.size())))];
}

panoptim_tensor &some_row(random_numbers &numbers, problem &p) {
  return p.tensors()[static_cast<size_t>(numbers.below(static_cast<int>(p.tensors().size())))];
}

// Sets a part of a plan to a number around its bounds.
change part(int32_t panoptim_plan::*part) {
  return [part](random_numbers &numbers, problem &, panoptim_plan &plan) {
    plan.*part = one_of<int32_t>(numbers, {INT_MIN, -1, 0, 1, 2, 3, 4, 5, 6, 17, INT_MAX});
  };
}

// All errors that a plan can have. No accepted plan accesses memory that does not belong to it.
const std::vector<change> changes = {
    part(&panoptim_plan::first_moment),
    part(&panoptim_plan::nesterov),
    part(&panoptim_plan::second_moment),
    part(&panoptim_plan::unit_correction),
    part(&panoptim_plan::sign),
    part(&panoptim_plan::decay),
    part(&panoptim_plan::tier),
    part(&panoptim_plan::sharing),
    part(&panoptim_plan::half_precision),
    part(&panoptim_plan::publish),
    part(&panoptim_plan::publish_averages),
    part(&panoptim_plan::averages),
    part(&panoptim_plan::zeroes),
    [](random_numbers &numbers, problem &, panoptim_plan &plan) {
      plan.clips = numbers.below(3);
      plan.clip = one_of<float>(numbers, {-1, 0, 0.5f, INFINITY, NAN});
    },
    [](random_numbers &numbers, problem &, panoptim_plan &plan) {
      plan.share = one_of<panoptim_int64>(numbers, {-1, 0, 1, 7});
    },
    [](random_numbers &numbers, problem &, panoptim_plan &plan) {
      plan.coefficients_count = one_of<panoptim_int64>(numbers, {INT64_MIN, -1, 0, 1});
    },
    [](random_numbers &numbers, problem &, panoptim_plan &plan) {
      plan.tensor_count = one_of<panoptim_int64>(numbers, {INT64_MIN, -1, 0, one_less(plan.tensor_count)});
    },
    [](random_numbers &numbers, problem &p, panoptim_plan &) {
      panoptim_tensor &row = some_row(numbers, p);
      row.length = one_of<panoptim_int64>(numbers, {INT64_MIN, -1, 0, one_less(row.length)});
    },
    // Behind a row that has elements, this is more than can be counted.
    [](random_numbers &, problem &p, panoptim_plan &) { p.tensors().back().length = INT64_MAX; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) { some_row(numbers, p).offset += numbers.below(3) - 1; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) {
      some_row(numbers, p).first_chunk += numbers.below(3) - 1;
    },
    [](random_numbers &numbers, problem &p, panoptim_plan &) {
      some_row(numbers, p).coefficients = one_of<panoptim_int64>(numbers, {INT64_MIN, -1, 0, 1, INT64_MAX});
    },
    [](random_numbers &numbers, problem &p, panoptim_plan &) { some_row(numbers, p).parameter = nullptr; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) { some_row(numbers, p).gradient = nullptr; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) { some_row(numbers, p).average = nullptr; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) { some_row(numbers, p).half_precision = nullptr; },
    [](random_numbers &numbers, problem &p, panoptim_plan &) {
      some_row(numbers, p).state[numbers.below(PANOPTIM_STATES)] = nullptr;
    },
};

composition some_composition(random_numbers &numbers) {
  static const std::vector<composition> legal = legal_compositions();
  return one_of(numbers, legal);
}

// The last row is never the first one with elements.
std::vector<panoptim_int64> some_lengths(random_numbers &numbers) {
  std::vector<panoptim_int64> lengths{1 + numbers.below(40)};
  for (int rows = 1 + numbers.below(3); rows > 0; rows--) {
    const bool large = numbers.below(16) == 0;
    lengths.push_back(large ? PANOPTIM_CHUNK + numbers.below(4) : one_of<panoptim_int64>(numbers, {0, 5, 16, 99}));
  }
  return lengths;
}

// A problem and its plan, the same each time for one seed.
struct spoiled {
  random_numbers numbers;
  problem p;
  std::vector<uint8_t> publication;
  panoptim_plan plan;

  spoiled(uint64_t seed, int spoilings)
      : numbers(seed),
        p(some_composition(numbers), some_lengths(numbers), seed),
        publication(4 * (PANOPTIM_CHUNK + 3)),
        plan(p.plan(PANOPTIM_TIER_BASELINE)) {
    plan.share = 1000;
    if (numbers.below(2) == 0) plan.publication = publication.data();
    for (int i = 0; i < spoilings; i++) one_of(numbers, changes)(numbers, p, plan);
  }
};

}  // namespace

TEST(plans_are_refused_as_by_the_checks_alone) {
  int refused = 0;
  for (uint64_t seed = 1; seed <= 3000; seed++) {
    spoiled checked(seed, 1 + static_cast<int>(seed % 2));
    const int32_t expected = check_call(&checked.plan, work_step);
    spoiled stepped(seed, 1 + static_cast<int>(seed % 2));
    const problem before(stepped.p);
    const int32_t actual = panoptim_step(&stepped.plan);
    CHECK(actual == expected, "seed %llu: status %d with '%s', not %d with '%s'", static_cast<unsigned long long>(seed),
          actual, stepped.plan.error, expected, checked.plan.error);
    CHECK(std::string(stepped.plan.error) == checked.plan.error, "seed %llu: '%s', not '%s'",
          static_cast<unsigned long long>(seed), stepped.plan.error, checked.plan.error);
    if (expected != PANOPTIM_OK) {
      refused++;
      CHECK(stepped.p.has_bits_of(before), "seed %llu: refused, but something was written",
            static_cast<unsigned long long>(seed));
    }
  }
  CHECK(refused > 500 && refused < 2900, "%d of 3000 plans were refused: too few or too many to compare", refused);
}

TEST(both_paths_reach_the_same_bits) {
  for (uint64_t seed = 1; seed <= 600; seed++) {
    spoiled quick(seed, 0);
    spoiled other(seed, 0);
    for (int step = 0; step < 3; step++) {
      CHECK(panoptim_step(&quick.plan) == PANOPTIM_OK, "%s", quick.plan.error);
      // Work that is shared does not take the quick path, even if no helper joins.
      other.plan.sharing = PANOPTIM_ANNOUNCED;
      CHECK(panoptim_step(&other.plan) == PANOPTIM_OK, "%s", other.plan.error);
    }
    CHECK(quick.p.has_bits_of(other.p), "seed %llu: other bits", static_cast<unsigned long long>(seed));
  }
}
