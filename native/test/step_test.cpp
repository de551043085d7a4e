// Every tier and every number of threads reaches the bits of the baseline tier on one thread.
#include <sys/mman.h>
#include <unistd.h>
#include <set>

#include <atomic>
#include <thread>

#include "check.h"
#include "problem.h"
#include "rule/arithmetic.h"
#include "tier/tiers.h"

namespace {

const std::vector<panoptim_int64> sizes = {
    0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 65, 4097, PANOPTIM_CHUNK - 1, PANOPTIM_CHUNK, PANOPTIM_CHUNK + 1};

// All threads but the first are helpers, from before the first step until after the last.
//
// With `fused`, gradients are clipped, and zeroed by the last step; there are averages and a half-precision copy.
void run(const problem &p, int tier, int threads, int steps = 1, bool fused = false) {
  panoptim_plan plan = p.plan(tier);
  plan.clips = fused;
  plan.clip = 0.25f;
  plan.averages = fused;
  plan.half_precision = fused ? PANOPTIM_HALF_PRECISION_BFLOAT16 : PANOPTIM_HALF_PRECISION_NONE;
  std::atomic<bool> done{false};
  std::vector<std::thread> helpers;
  for (int i = 1; i < threads; i++) {
    helpers.emplace_back([&] {
      for (; !done; std::this_thread::yield()) panoptim_help(&plan);
    });
  }
  for (int i = 0; i < steps; i++) {
    plan.share = 1000;
    plan.zeroes = fused && i == steps - 1;
    __atomic_store_n(&plan.sharing, threads > 1 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
    const int32_t status = panoptim_step(&plan);
    CHECK(status == PANOPTIM_OK, "status %d: %s", status, plan.error);
    CHECK(plan.sharing == PANOPTIM_CLOSED, "sharing is %d", plan.sharing);
  }
  done = true;
  for (std::thread &each : helpers) each.join();
  CHECK(plan.helping == 0, "%d", plan.helping);
}

void check_same(composition rule, const std::vector<panoptim_int64> &lengths, uint64_t seed, int shift, int threads,
                int steps, bool special, bool fused = false) {
  const problem initial(rule, lengths, seed, shift, special);
  problem expected(initial);
  problem actual(initial);
  run(expected, PANOPTIM_TIER_BASELINE, 1, steps, fused);
  for (int tier : available_tiers()) {
    actual.copy_from(initial);
    run(actual, tier, threads, steps, fused);
    CHECK(actual.has_bits_of(expected),
          "tier %d with %d threads differs: seed %llu, first of %zu lengths %lld, shift %d, %s", tier, threads,
          static_cast<unsigned long long>(seed), lengths.size(), lengths[0], shift, words(rule).c_str());
  }
}

}  // namespace

TEST(every_legal_composition_and_no_other_has_a_loop) {
  CHECK(legal_compositions().size() > 100, "%zu", legal_compositions().size());
  std::set<kernel> different;
  for (int index = 0; index < compositions; index++) {
    const composition rule = composition_at(index);
    CHECK(index_of(rule) == index, "%d is not %s", index, words(rule).c_str());
    CHECK((kernel_of(rule) >= 0) == (why_illegal(rule) == nullptr), "%s", words(rule).c_str());
    if (why_illegal(rule)) continue;
    for (int tier : available_tiers()) different.insert(kernels_of(tier)->at[kernel_of(rule)]);
  }
  CHECK(different.count(nullptr) == 0 && different.size() == legal_compositions().size() * available_tiers().size(),
        "%zu different loops of %zu compositions", different.size(), legal_compositions().size());
}

TEST(tiers_agree_for_every_composition_and_size) {
  uint64_t seed = 1;
  for (composition rule : legal_compositions()) {
    for (panoptim_int64 size : sizes) check_same(rule, {size}, seed++, 0, 1, 1, true);
  }
}

TEST(tiers_agree_on_unaligned_operands) {
  for (composition rule : legal_compositions()) {
    for (int shift = 1; shift < 16; shift += 2) check_same(rule, {1003}, shift, shift, 1, 1, true);
  }
}

TEST(tiers_agree_after_100_steps) {
  for (composition rule : legal_compositions()) {
    check_same(rule, {257}, 7, 0, 1, 100, false);
    check_same(rule, {257}, 8, 0, 1, 100, true);
  }
}

TEST(threads_agree_on_300_tensors_of_mixed_sizes) {
  random_numbers numbers(3);
  std::vector<panoptim_int64> lengths;
  for (int i = 0; i < 300; i++) lengths.push_back(numbers.below(10) == 0 ? numbers.below(40000) : numbers.below(300));
  for (int threads : {1, 2, 3, 7}) {
    check_same({1, 1, 2, 1, 0, 2}, lengths, 11, 0, threads, 3, true);
    check_same({}, lengths, 12, 0, threads, 3, true);
  }
}

TEST(tiers_and_threads_agree_on_clipped_and_zeroed_gradients) {
  uint64_t seed = 40;
  for (composition rule : legal_compositions()) check_same(rule, {0, 3000, 1, 1024, 17}, seed++, 3, 1, 2, true, true);
  for (int threads : {1, 2, 3}) check_same({1, 1, 2, 1, 0, 2}, {40000, 5}, 13, 0, threads, 3, true, true);
}

TEST(options_in_the_same_pass_are_those_of_separate_passes) {
  for (int tier : available_tiers()) {
    problem fused({1, 0, 1, 0, 0, 1}, {2500}, 3);
    problem apart({1, 0, 1, 0, 0, 1}, {2500}, 3);
    const float scale = usual_coefficients().gradient_scale;
    panoptim_tensor &tensor = apart.tensors()[0];
    for (int i = 0; i < 2500; i++) {
      const float g = scale * tensor.gradient[i];
      // The step scales by -1 once more.
      tensor.gradient[i] = scale * (g < -0.25f ? -0.25f : g > 0.25f ? 0.25f : g);
    }
    run(fused, tier, 1, 1, true);
    run(apart, tier, 1);
    for (int i = 0; i < 2500; i++) {
      const float w = tensor.parameter[i];
      const float average = std::fmaf(0.01f, w - tensor.average[i], tensor.average[i]);
      tensor.average[i] = std::isnan(average) ? std::numeric_limits<float>::quiet_NaN() : average;
      tensor.half_precision[i] = bfloat16(w);
      tensor.gradient[i] = 0;
    }
    CHECK(fused.bits() == apart.bits(), "tier %d", tier);
  }
}

TEST(sums_of_squares_have_the_promised_order_in_every_tier) {
  for (bool special : {false, true}) {
    for (int threads : {1, 3}) {
      problem p({}, {0, 1, 15, 16, 17, PANOPTIM_CHUNK, 3 * PANOPTIM_CHUNK + 5, 4097}, 9, 1, special);
      std::vector<double> expected;
      for (const panoptim_tensor &tensor : p.tensors()) {
        for (panoptim_int64 start = 0; start < tensor.length; start += PANOPTIM_CHUNK) {
          std::vector<double> sums(PANOPTIM_LANES);
          for (panoptim_int64 i = start; i < std::min<panoptim_int64>(start + PANOPTIM_CHUNK, tensor.length); i++) {
            const double g = tensor.gradient[i];
            sums[static_cast<size_t>((i - start) % PANOPTIM_LANES)] += g * g;
          }
          for (size_t half = PANOPTIM_LANES / 2; half > 0; half /= 2) {
            for (size_t k = 0; k < half; k++) sums[k] += sums[k + half];
          }
          expected.push_back(sums[0]);
        }
      }
      CHECK(static_cast<panoptim_int64>(expected.size()) == p.chunks(), "%zu", expected.size());
      for (int tier : available_tiers()) {
        std::vector<double> actual(expected.size(), -1);
        panoptim_plan plan = p.plan(tier);
        plan.square_sums = actual.data();
        std::thread helper;
        if (threads > 1) {
          plan.sharing = PANOPTIM_ANNOUNCED;
          plan.share = PANOPTIM_CHUNK;
          helper = std::thread([&] { panoptim_help(&plan); });
        }
        CHECK(panoptim_sum_squares(&plan) == PANOPTIM_OK, "%s", plan.error);
        if (helper.joinable()) helper.join();
        for (size_t i = 0; i < expected.size(); i++) {
          const bool same = actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]));
          CHECK(same, "tier %d, chunk %zu: %a, not %a", tier, i, actual[i], expected[i]);
        }
      }
    }
  }
}

TEST(more_threads_than_shares_agree) {
  check_same({1, 0, 1, 0, 0, 2}, {40000}, 5, 0, 20, 2, true);
}

TEST(helpers_and_steps_may_come_at_any_time) {
  check_same({1, 0, 1, 0, 0, 2}, {5000, 3, 700}, 6, 0, 3, 2000, false);
}

// A helper that has joined before the step begins takes shares: there are many, and each takes some time.
TEST(helpers_help) {
  for (int attempt = 0;; attempt++) {
    problem p({1, 0, 1, 0, 0, 2}, {2000000}, 2);
    panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
    plan.share = PANOPTIM_CHUNK;
    plan.sharing = PANOPTIM_ANNOUNCED;
    std::thread helper([&] { panoptim_help(&plan); });
    while (__atomic_load_n(&plan.helping, __ATOMIC_SEQ_CST) == 0) std::this_thread::yield();
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
    helper.join();
    if (plan.helped > 0) return;
    // The system may not have run the helper during the step.
    CHECK(attempt < 100, "a helper that waits for a step has never taken a share of it");
  }
}

// A step is complete without helpers, and a helper returns at once without a step.
TEST(a_step_needs_no_helper) {
  problem expected({}, {5000}, 1);
  run(expected, PANOPTIM_TIER_BASELINE, 1);
  problem p({}, {5000}, 1);
  panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
  panoptim_help(&plan);
  plan.sharing = PANOPTIM_ANNOUNCED;
  plan.share = 700;
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  panoptim_help(&plan);
  CHECK(p.bits() == expected.bits(), "other bits");
}

TEST(every_stored_nan_is_the_canonical_one) {
  for (composition rule : legal_compositions()) {
    for (int tier : available_tiers()) {
      problem p(rule, {65}, 21);
      float *gradient = p.tensors()[0].gradient;
      for (int i = 0; i < 65; i++) {
        uint32_t odd_nan = 0xffc12345u + static_cast<uint32_t>(i);
        std::memcpy(&gradient[i], &odd_nan, sizeof odd_nan);
      }
      run(p, tier, 1);
      for (int i = 0; i < 65; i++) {
        uint32_t stored;
        std::memcpy(&stored, &p.tensors()[0].parameter[i], sizeof stored);
        CHECK(stored == 0x7fc00000u, "0x%x in tier %d", stored, tier);
      }
    }
  }
}

TEST(denormals_are_not_flushed) {
  for (int tier : available_tiers()) {
    problem p({}, {33}, 1);
    float *gradient = p.tensors()[0].gradient;
    for (int i = 0; i < 33; i++) {
      p.tensors()[0].parameter[i] = 0;
      gradient[i] = 1e-38f;
    }
    run(p, tier, 1);
    for (int i = 0; i < 33; i++) {
      // 0 - 0.02 * (-1 * 1e-38): below the smallest normal number, 1.2e-38.
      const float expected = std::fmaf(0.02f, 1e-38f, 0.0f);
      CHECK(expected > 0 && p.tensors()[0].parameter[i] == expected, "%g", p.tensors()[0].parameter[i]);
    }
  }
}

TEST(an_update_is_what_the_formula_says) {
  // AdamW's first step over w = 1, g = 0.5, computed by hand: m = 0.05, v = 0.00025, direction = m / sqrt(v).
  panoptim_coefficients c{};
  c.gradient_scale = 1;
  c.weight_decay = 0.001f;
  c.first_take = 0.1f;
  c.first_decay = 0.9f;
  c.second_take = 0.001f;
  c.second_decay = 0.999f;
  c.step_size = 0.0316227766f;
  float w = 1, m = 0, v = 0;
  float g = 0.5f;
  const panoptim_tensor tensor{&w, &g, {&m, &v}, nullptr, nullptr, 1, 0, 0, 0, -1};
  for (int tier : available_tiers()) {
    w = 1, m = 0, v = 0;
    panoptim_plan plan{};
    plan.tensors = &tensor;
    plan.tensor_count = 1;
    plan.coefficients = &c;
    plan.coefficients_count = 1;
    plan.first_moment = PANOPTIM_FIRST_MOMENT_OF_GRADIENT;
    plan.second_moment = PANOPTIM_SECOND_MOMENT_RUNNING;
    plan.decay = PANOPTIM_DECAY_DECOUPLED;
    plan.tier = tier;
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
    CHECK(m == 0.05f && std::fabs(v - 0.00025f) < 1e-11f, "m %g, v %g", m, v);
    CHECK(std::fabs(w - 0.899f) < 1e-7f, "w %.9g", w);
  }
}

// Operands that end, or start, at the border of mapped memory: an access beyond them is a fault.
TEST(nothing_beyond_an_operand_is_accessed) {
  constexpr int average = 2 + PANOPTIM_STATES;
  constexpr int half_precision = average + 1;
  constexpr int published = half_precision + 1;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  char *pages[published + 1];  // of each operand; the pages before and after it are not accessible
  for (char *&middle : pages) {
    void *map = mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(map != MAP_FAILED, "mmap");
    middle = static_cast<char *>(map) + page;
    CHECK(mprotect(middle, page, PROT_READ | PROT_WRITE) == 0, "mprotect");
  }
  for (composition rule : legal_compositions()) {
    for (int tier : available_tiers()) {
      for (bool at_end : {true, false}) {
        // 1023 floats do not fill a page, so the loops around the update could run beyond them.
        for (int length : {1, 7, 9, 17, 100, 1023}) {
          float *operands[published + 1] = {};
          for (int i = 0; i <= published; i++) {
            if (i >= 2 + states_of(rule) && i < average) continue;
            const size_t bytes = static_cast<size_t>(length) * (i == half_precision ? sizeof(uint16_t) : sizeof(float));
            operands[i] = reinterpret_cast<float *>(at_end ? pages[i] + page - bytes : pages[i]);
          }
          const panoptim_tensor tensor{operands[0],
                                       operands[1],
                                       {operands[2], operands[3], operands[4], operands[5]},
                                       operands[average],
                                       reinterpret_cast<uint16_t *>(operands[half_precision]),
                                       length,
                                       0,
                                       0,
                                       0,
                                       0};
          const panoptim_coefficients c = usual_coefficients();
          panoptim_plan plan{};
          plan.tensors = &tensor;
          plan.tensor_count = 1;
          plan.coefficients = &c;
          plan.coefficients_count = 1;
          set_composition(plan, rule);
          plan.tier = tier;
          CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
          double sum;
          plan.square_sums = &sum;
          CHECK(panoptim_sum_squares(&plan) == PANOPTIM_OK, "%s", plan.error);
          plan.clips = plan.averages = plan.zeroes = 1;
          plan.clip = 0.5f;
          for (int kind : {PANOPTIM_HALF_PRECISION_BFLOAT16, PANOPTIM_HALF_PRECISION_FLOAT16}) {
            plan.half_precision = kind;
            CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
          }
          plan.publication = operands[published];
          plan.publish = PANOPTIM_PUBLISH_FLOAT32;
          CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
          plan.publication = operands[half_precision];
          plan.half_precision = PANOPTIM_HALF_PRECISION_NONE;
          plan.publish = PANOPTIM_PUBLISH_BFLOAT16;
          CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
        }
      }
    }
  }
  for (char *middle : pages) munmap(middle - page, 3 * page);
}
