// The measures: the same bits in every tier and with helpers, in the order of the sums of squares, and no operand
// changes.
#include <cmath>
#include <thread>

#include "check.h"
#include "problem.h"

namespace {

const std::vector<panoptim_int64> lengths = {0, 1, 15, 16, 17, 1023, 1024, 1025, PANOPTIM_CHUNK, PANOPTIM_CHUNK + 5};

constexpr int every_measure = (1 << PANOPTIM_MEASURES) - 1;

std::vector<double> measured(const problem &p, int tier, bool clips, bool helped, int needed = every_measure) {
  std::vector<double> measures(static_cast<size_t>(p.chunks()) * PANOPTIM_MEASURES, -1);
  panoptim_plan plan = p.plan(tier);
  plan.measures = measures.data();
  plan.measured = needed;
  plan.clips = clips;
  plan.clip = 0.25f;
  std::thread helper;
  if (helped) {
    plan.sharing = PANOPTIM_ANNOUNCED;
    plan.share = PANOPTIM_CHUNK;
    helper = std::thread([&] { panoptim_help(&plan); });
  }
  CHECK(panoptim_measure(&plan) == PANOPTIM_OK, "%s", plan.error);
  if (helper.joinable()) helper.join();
  return measures;
}

// NaN has different bits on different processors; sums are read as numbers only.
bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

double sum_of_squares(const float *numbers, panoptim_int64 length, float scale) {
  std::vector<double> sums(PANOPTIM_LANES);
  for (panoptim_int64 i = 0; i < length; i++) {
    const double x = scale * numbers[i];
    sums[static_cast<size_t>(i % PANOPTIM_LANES)] += x * x;
  }
  for (size_t half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
    for (size_t k = 0; k < half; k++) sums[k] += sums[k + half];
  }
  return sums[0];
}

}  // namespace

TEST(tiers_agree_for_every_composition) {
  uint64_t seed = 1;
  for (composition rule : legal_compositions()) {
    for (bool special : {false, true}) {
      const problem p(rule, lengths, seed++, 1, special);
      const problem before(p);
      for (bool clips : {false, true}) {
        const std::vector<double> expected = measured(p, PANOPTIM_TIER_BASELINE, clips, false);
        for (int tier : available_tiers()) {
          const std::vector<double> actual = measured(p, tier, clips, clips);
          for (size_t i = 0; i < expected.size(); i++) {
            CHECK(same(actual[i], expected[i]), "tier %d, measure %zu of chunk %zu: %a, not %a, %s", tier,
                  i % PANOPTIM_MEASURES, i / PANOPTIM_MEASURES, actual[i], expected[i], words(rule).c_str());
          }
        }
      }
      CHECK(p.has_bits_of(before), "an operand has changed: %s", words(rule).c_str());
    }
  }
}

TEST(parameters_and_gradients_have_the_order_of_the_sums_of_squares) {
  for (composition rule : {composition{}, composition{1, 0, 1, 0, 0, 2}}) {
    const problem p(rule, {1000, PANOPTIM_CHUNK - 1}, 5, 0, false);
    const std::vector<double> actual = measured(p, available_tiers().back(), false, false);
    size_t chunk = 0;
    for (const panoptim_tensor &tensor : const_cast<problem &>(p).tensors()) {
      const double parameters = sum_of_squares(tensor.parameter, tensor.length, 1);
      const double gradients = sum_of_squares(tensor.gradient, tensor.length, usual_coefficients().gradient_scale);
      CHECK(actual[chunk * PANOPTIM_MEASURES] == parameters, "%a, not %a", actual[chunk * PANOPTIM_MEASURES],
            parameters);
      CHECK(actual[chunk * PANOPTIM_MEASURES + 1] == gradients, "%a, not %a", actual[chunk * PANOPTIM_MEASURES + 1],
            gradients);
      chunk++;
    }
  }
}

TEST(the_change_is_what_the_step_makes) {
  // Adam without decay, and one element: the step's change is the root of its square.
  problem p({1, 0, 1, 0, 0, 0}, {1}, 3, 0, false);
  const double change = std::sqrt(measured(p, PANOPTIM_TIER_BASELINE, false, false)[2]);
  const float before = p.tensors()[0].parameter[0];
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  const double made = std::fabs(static_cast<double>(p.tensors()[0].parameter[0]) - before);
  CHECK(change > 0 && std::fabs(made - change) < 1e-5 * std::fabs(before) + 1e-6, "%g, not %g", made, change);
}

TEST(sums_that_are_not_needed_are_zero_and_change_no_other) {
  uint64_t seed = 1;
  for (composition rule : legal_compositions()) {
    const problem p(rule, {100, PANOPTIM_CHUNK + 5}, seed++, 1, false);
    for (int tier : available_tiers()) {
      const std::vector<double> all = measured(p, tier, false, false);
      for (int needed = 0; needed < 1 << PANOPTIM_MEASURES; needed++) {
        const std::vector<double> actual = measured(p, tier, false, false, needed);
        for (size_t i = 0; i < all.size(); i++) {
          const double expected = needed >> i % PANOPTIM_MEASURES & 1 ? all[i] : 0;
          CHECK(actual[i] == expected, "needed %d, tier %d, measure %zu: %a, not %a, %s", needed, tier,
                i % PANOPTIM_MEASURES, actual[i], expected, words(rule).c_str());
        }
      }
    }
  }
}

TEST(measures_without_memory_are_refused) {
  const problem p({}, {5}, 1);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_measure(&plan) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strcmp(plan.error, "measures is NULL") == 0, "%s", plan.error);
}
