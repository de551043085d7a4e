// A wrong plan is refused with a text that says why, and no byte changes.
#include <functional>
#include <string>

#include "check.h"
#include "problem.h"

namespace {

void check_refused(const char *words, int32_t status, const std::function<void(problem &, panoptim_plan &)> &spoil) {
  problem p({1, 0, 1, 0, 0, 0}, {5, 6}, 1);
  const std::vector<uint32_t> before = p.bits();
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  spoil(p, plan);
  const int32_t actual = panoptim_step(&plan);
  CHECK(actual == status, "status %d, not %d, with '%s'", actual, status, plan.error);
  CHECK(std::string(plan.error).find(words) != std::string::npos, "'%s' has no '%s'", plan.error, words);
  CHECK(p.bits() == before, "something was written although: %s", plan.error);
}

}  // namespace

TEST(no_plan_is_refused) {
  CHECK(panoptim_step(nullptr) == PANOPTIM_INVALID_ARGUMENT, "NULL");
}

TEST(unknown_parts_of_a_composition_are_refused) {
  const auto refused = [](const char *words, int32_t panoptim_plan::*part, int32_t value) {
    check_refused(words, PANOPTIM_INVALID_ARGUMENT, [&](problem &, panoptim_plan &p) { p.*part = value; });
  };
  refused("first_moment is 3, not 0 to 2", &panoptim_plan::first_moment, 3);
  refused("second_moment is -1, not 0 to 10", &panoptim_plan::second_moment, -1);
  refused("nesterov is 3, not 0 to 2", &panoptim_plan::nesterov, 3);
  refused("unit_correction is 2, not 0 to 1", &panoptim_plan::unit_correction, 2);
  refused("sign is -1, not 0 to 1", &panoptim_plan::sign, -1);
  refused("decay is 3, not 0 to 2", &panoptim_plan::decay, 3);
  refused("history is 4, not 0 to 3", &panoptim_plan::history, 4);
  refused("update is 6, not 0 to 5", &panoptim_plan::update, 6);
}

TEST(an_illegal_composition_is_refused) {
  const auto refused = [](const char *words, composition c) {
    check_refused(words, PANOPTIM_INVALID_ARGUMENT, [&](problem &, panoptim_plan &p) { set_composition(p, c); });
  };
  refused("nesterov needs a first moment", {0, 1, 1, 0, 0, 0});
  refused("first moment of the direction needs a second", {2, 0, 0, 0, 0, 0});
  refused("unit_correction needs a running second moment", {0, 0, 0, 1, 0, 0});
  refused("unit_correction needs a running second moment", {0, 0, 5, 1, 0, 0});
  refused("sign makes a second moment pointless", {1, 0, 1, 0, 1, 0});
  refused("a belief or signed second moment needs", {1, 1, 6, 0, 0, 0});
  refused("a delayed second moment needs", {1, 0, 8, 0, 0, 0});
  refused("curvature needs", {1, 0, 9, 0, 0, 1});
  refused("a mixed second moment needs", {1, 0, 10, 0, 0, 0});
  refused("history needs", {1, 0, 0, 0, 0, 0, 1, 0});
  refused("a cautious update needs", {1, 0, 2, 0, 0, 0, 0, 1});
  refused("an averaged update has no moments", {1, 0, 0, 0, 0, 0, 0, 2});
  refused("sign steps have no moments", {0, 0, 0, 0, 0, 2, 0, 3});
  refused("a proximal update needs", {0, 0, 0, 0, 0, 0, 0, 4});
  refused("a schedule-free update needs", {1, 0, 1, 0, 0, 0, 0, 5});
}

TEST(an_unknown_tier_is_refused) {
  check_refused("tier 17: there is no such tier", PANOPTIM_UNSUPPORTED_TIER,
                [](problem &, panoptim_plan &p) { p.tier = 17; });
  check_refused("tier -1: there is no such tier", PANOPTIM_UNSUPPORTED_TIER,
                [](problem &, panoptim_plan &p) { p.tier = -1; });
}

TEST(sharing_that_is_neither_announced_nor_in_shares_is_refused) {
  check_refused("sharing is 7 in shares of 0", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.sharing = 7; });
  check_refused("sharing is 2 in shares of 5", PANOPTIM_INVALID_ARGUMENT, [](problem &, panoptim_plan &p) {
    p.sharing = PANOPTIM_OPEN;
    p.share = 5;
  });
  check_refused("sharing is 1 in shares of 0", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.sharing = PANOPTIM_ANNOUNCED; });
}

TEST(options_of_a_step_are_checked) {
  check_refused("clip is -1, not 0 or more", PANOPTIM_INVALID_ARGUMENT, [](problem &, panoptim_plan &p) {
    p.clips = 1;
    p.clip = -1;
  });
  check_refused("half_precision is 3, not 0 to 2", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.half_precision = 3; });
  check_refused("row 1 lacks an average or a half-precision copy", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &plan) {
                  plan.averages = 1;
                  p.tensors()[1].average = nullptr;
                });
  check_refused("row 0 lacks an average or a half-precision copy", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &plan) {
                  plan.half_precision = PANOPTIM_HALF_PRECISION_FLOAT16;
                  p.tensors()[0].half_precision = nullptr;
                });
  check_refused("publish is 4, not 0 to 3", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.publish = 4; });
  check_refused("publish is 1, but publication is NULL", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.publish = PANOPTIM_PUBLISH_FLOAT32; });
  check_refused("averages are published, but the plan has none", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) {
                  p.publish = PANOPTIM_PUBLISH_FLOAT32;
                  p.publish_averages = 1;
                  p.publication = &p;
                });
  problem p({}, {5}, 1);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_sum_squares(&plan) == PANOPTIM_INVALID_ARGUMENT, "%s", plan.error);
}

TEST(helpers_of_a_refused_step_return) {
  problem p({}, {5}, 1);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  plan.decay = 9;
  plan.sharing = PANOPTIM_ANNOUNCED;
  plan.share = 1;
  CHECK(panoptim_step(&plan) == PANOPTIM_INVALID_ARGUMENT, "%s", plan.error);
  panoptim_help(&plan);
  CHECK(plan.sharing == PANOPTIM_CLOSED, "%d", plan.sharing);
}

TEST(wrong_rows_are_refused) {
  check_refused("tensor_count is -1", PANOPTIM_INVALID_ARGUMENT,
                [](problem &, panoptim_plan &p) { p.tensor_count = -1; });
  check_refused("row 1 has length -6", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].length = -6; });
  check_refused("row 1 has length 6 and offset 4, not 0 or more and 5", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].offset = 4; });
  check_refused("row 1 has first_chunk 7, not 1", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].first_chunk = 7; });
  check_refused("row 1 names coefficients 1 of 1", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].coefficients = 1; });
  check_refused("row 0 names coefficients -1 of 1", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[0].coefficients = -1; });
  check_refused("row 1 has no parameter or no gradient", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].gradient = nullptr; });
  check_refused("row 1 lacks state 1 of 2", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].state[1] = nullptr; });
  check_refused("more than 2^63-1 elements", PANOPTIM_INVALID_ARGUMENT,
                [](problem &p, panoptim_plan &) { p.tensors()[1].length = INT64_MAX; });
}

TEST(a_plan_without_rows_or_elements_is_fine) {
  problem none({1, 0, 1, 0, 0, 2}, {}, 1);
  panoptim_plan plan = none.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  problem empty({1, 0, 1, 0, 0, 2}, {0, 0}, 1);
  plan = empty.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
}

TEST(further_pointers_are_ignored) {
  problem p({1, 0, 1, 0, 0, 2}, {9}, 1);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&plan, &plan, nullptr, &p) == PANOPTIM_OK, "%s", plan.error);
}

TEST(the_description_is_of_this_build) {
  CHECK(panoptim_describe(nullptr) == PANOPTIM_INVALID_ARGUMENT, "NULL");
  panoptim_description d;
  CHECK(panoptim_describe(&d) == PANOPTIM_OK, "describe");
  CHECK(d.abi_version == PANOPTIM_ABI_VERSION && panoptim_abi_version() == PANOPTIM_ABI_VERSION, "%d", d.abi_version);
  CHECK(d.tier_available[PANOPTIM_TIER_BASELINE] == 1, "the baseline tier needs nothing");
  for (int tier = 0; tier < PANOPTIM_TIERS; tier++) {
    CHECK((d.tier_available[tier] == 1) == (d.tier_reason[tier][0] == 0), "tier %d: '%s'", tier, d.tier_reason[tier]);
    problem p({1, 0, 1, 0, 0, 2}, {9}, 1);
    panoptim_plan plan = p.plan(tier);
    const int32_t expected = d.tier_available[tier] ? PANOPTIM_OK : PANOPTIM_UNSUPPORTED_TIER;
    CHECK(panoptim_step(&plan) == expected, "tier %d: %s", tier, plan.error);
  }
  CHECK(d.compiler[0] != 0, "no compiler");
}
