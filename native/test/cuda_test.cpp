// A device reaches the bits of the baseline tier. Linked once with CUDA, and skipped on machines without a device.
// Linked a second time with the emulation, which shows all errors but those of hardware.
#include "device_problem.h"

namespace {

void set_options(panoptim_plan &plan, bool fused, int half_precision) {
  plan.clips = fused;
  plan.clip = 0.25f;
  plan.averages = fused;
  plan.half_precision = fused ? half_precision : PANOPTIM_HALF_PRECISION_NONE;
}

void check_same(composition rule, const std::vector<panoptim_int64> &lengths, uint64_t seed, int shift, int steps,
                bool special, bool fused = false, int half_precision = PANOPTIM_HALF_PRECISION_BFLOAT16) {
  problem expected(rule, lengths, seed, shift, special);
  panoptim_plan plan = expected.plan(PANOPTIM_TIER_BASELINE);
  problem moved(rule, lengths, seed, shift, special);
  device_problem actual(moved);
  set_options(plan, fused, half_precision);
  set_options(actual.plan(), fused, half_precision);
  for (int i = 0; i < steps; i++) {
    plan.zeroes = actual.plan().zeroes = fused && i == steps - 1;
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
    actual.step();
  }
  CHECK(actual.bits() == expected.bits(), "the device differs: seed %llu, first of %zu lengths %lld, shift %d, %s",
        static_cast<unsigned long long>(seed), lengths.size(), lengths[0], shift, words(rule).c_str());
}

}  // namespace

TEST(a_device_agrees_for_every_composition) {
  need_device();
  uint64_t seed = 1;
  for (composition rule : legal_compositions()) {
    check_same(rule, {0, 1, 3, 4, 5, 1023, 4097}, seed++, 0, 2, true);
    check_same(rule, {0, 1, 3, 4, 5, 1023, 4097}, seed++, 0, 2, true, true);
  }
}

TEST(a_device_agrees_at_every_size) {
  need_device();
  uint64_t seed = 500;
  for (panoptim_int64 size : {0,
                              1,
                              2,
                              3,
                              4,
                              5,
                              31,
                              32,
                              33,
                              255,
                              256,
                              257,
                              1023,
                              1024,
                              1025,
                              4095,
                              4096,
                              4097,
                              PANOPTIM_CHUNK - 1,
                              PANOPTIM_CHUNK,
                              PANOPTIM_CHUNK + 1,
                              100003}) {
    check_same({1, 0, 1, 0, 0, 2}, {size}, seed++, 0, 2, true);
    check_same({1, 0, 1, 0, 0, 2}, {size}, seed++, 0, 2, true, true, PANOPTIM_HALF_PRECISION_FLOAT16);
  }
}

TEST(a_device_agrees_on_unaligned_operands) {
  need_device();
  for (int shift = 0; shift < 4; shift++) {
    check_same({1, 1, 2, 1, 0, 2}, {1003, 5, 6000}, 7 + shift, shift, 2, true);
    check_same({1, 1, 2, 1, 0, 2}, {1003, 5, 6000}, 17 + shift, shift, 2, true, true);
  }
}

TEST(a_device_agrees_on_300_tensors_of_mixed_sizes) {
  need_device();
  random_numbers numbers(3);
  std::vector<panoptim_int64> lengths;
  for (int i = 0; i < 300; i++) lengths.push_back(numbers.below(10) == 0 ? numbers.below(40000) : numbers.below(300));
  check_same({1, 1, 2, 1, 0, 2}, lengths, 11, 0, 3, true);
  check_same({}, lengths, 12, 0, 3, true, true);
}

TEST(a_device_agrees_on_10000_tensors) {
  need_device();
  std::vector<panoptim_int64> lengths;
  for (int i = 0; i < 10000; i++) lengths.push_back(i % 23);
  check_same({1, 0, 1, 0, 0, 2}, lengths, 14, 0, 2, true);
}

// More than 2^28 elements. This takes 30 GiB of host memory and a minute.
TEST(a_device_agrees_on_a_tensor_of_more_than_a_gibibyte) {
  need_device();
  if (!std::getenv("PANOPTIM_LARGE")) {
    std::printf("skipped: PANOPTIM_LARGE is not set\n");
    std::exit(77);
  }
  check_same({1, 0, 1, 0, 0, 2}, {(panoptim_int64{1} << 28) + 3}, 15, 0, 1, true);
}

TEST(each_row_has_its_own_coefficients) {
  need_device();
  std::vector<panoptim_int64> lengths(100, 70);
  problem expected({1, 0, 1, 0, 0, 2}, lengths, 5);
  problem moved({1, 0, 1, 0, 0, 2}, lengths, 5);
  std::vector<panoptim_coefficients> coefficients;
  for (int i = 0; i < 100; i++) {
    coefficients.push_back(usual_coefficients());
    coefficients.back().step_size = 0.01f * static_cast<float>(i);
    expected.tensors()[static_cast<size_t>(i)].coefficients = 99 - i;
    moved.tensors()[static_cast<size_t>(i)].coefficients = 99 - i;
  }
  panoptim_plan plan = expected.plan(PANOPTIM_TIER_BASELINE);
  plan.coefficients = coefficients.data();
  plan.coefficients_count = 100;
  CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  device_problem actual(moved);
  actual.set_coefficients(coefficients);
  actual.step();
  CHECK(actual.bits() == expected.bits(), "other bits");
}

namespace {

// The norm and its decision in one thread of the host, then the step.
void check_decision(const std::vector<panoptim_int64> &lengths, uint64_t seed, bool special, double scale, double limit,
                    bool skips, bool zeroes) {
  const composition rule{1, 0, 1, 0, 0, 2};
  problem expected(rule, lengths, seed, 0, special);
  panoptim_plan plan = expected.plan(PANOPTIM_TIER_BASELINE);
  std::vector<double> sums(static_cast<size_t>(expected.chunks()) + 1);
  plan.square_sums = sums.data();
  CHECK(panoptim_sum_squares(&plan) == PANOPTIM_OK, "%s", plan.error);
  double squares = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (panoptim_int64 i = 0; i < expected.chunks(); i++) squares += sums[static_cast<size_t>(i)];
  }
  const double norm = std::sqrt(squares) * scale;
  const double factor = norm <= limit || std::isinf(limit) ? 1 : limit / norm;
  const bool skipped = skips && !std::isfinite(squares);
  panoptim_coefficients c = usual_coefficients();
  c.gradient_scale *= static_cast<float>(scale * factor);
  plan.coefficients = &c;
  plan.zeroes = zeroes;
  if (!skipped) {
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
  } else if (zeroes) {
    for (const panoptim_tensor &tensor : expected.tensors()) std::fill_n(tensor.gradient, tensor.length, 0.0f);
  }

  problem moved(rule, lengths, seed, 0, special);
  device_problem actual(moved);
  on_device<panoptim_cuda_decision> on(1);
  void *pinned, *event;
  CHECK_OK(panoptim_cuda_allocate_pinned(0, sizeof(panoptim_cuda_decision), &pinned, error));
  CHECK_OK(panoptim_cuda_create_event(0, &event, error));
  panoptim_cuda_decision &decision = *static_cast<panoptim_cuda_decision *>(pinned);
  actual.call().decision = on.get();
  actual.plan().zeroes = zeroes;
  // The sum over two plans, in order, is that of one plan with both.
  for (int pass = 0; pass < 2; pass++) {
    actual.call().begins = pass == 0;
    CHECK(panoptim_cuda_add_squares(&actual.call()) == PANOPTIM_OK, "%s", actual.plan().error);
  }
  CHECK_OK(panoptim_cuda_decide(0, nullptr, on.get(), scale, limit, skips, &decision, event, error));
  actual.step();
  CHECK(actual.bits() == expected.bits(), "other bits: seed %llu", static_cast<unsigned long long>(seed));
  CHECK_OK(panoptim_cuda_await_event(0, event, error));
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  CHECK(same(decision.squares, squares), "%a, not %a", decision.squares, squares);
  CHECK(same(decision.norm, norm), "%a, not %a", decision.norm, norm);
  CHECK(same(decision.clip_factor, factor), "%a, not %a", decision.clip_factor, factor);
  CHECK(decision.skips == skipped, "%d", decision.skips);
  CHECK_OK(panoptim_cuda_free_pinned(0, pinned, error));
  CHECK_OK(panoptim_cuda_destroy_event(0, event, error));
}

}  // namespace

TEST(a_norm_has_the_host_s_bits_and_consequences) {
  need_device();
  const std::vector<panoptim_int64> lengths = {0, 1, 15, 16, 17, PANOPTIM_CHUNK, 3 * PANOPTIM_CHUNK + 5, 4097};
  check_decision(lengths, 1, false, 0.5, 1, true, false);
  check_decision(lengths, 2, false, 1.0 / 3, 1e9, true, true);
  check_decision(lengths, 3, false, 1.0 / 3, std::numeric_limits<double>::infinity(), false, false);
  check_decision(lengths, 4, true, 0.5, 1, true, false);
  check_decision(lengths, 5, true, 0.5, 1, true, true);
  check_decision(lengths, 6, true, 0.5, 1, false, false);
  // More chunks than one batch of add_in_order_work.
  check_decision(std::vector<panoptim_int64>(5000, 3), 7, false, 0.5, 1, true, false);
}

TEST(gradients_are_set_to_zero_and_nothing_else) {
  need_device();
  const std::vector<panoptim_int64> lengths = {0, 1, 4097, 2 * PANOPTIM_CHUNK + 5};
  problem expected({}, lengths, 3, 1);
  problem moved({}, lengths, 3, 1);
  device_problem actual(moved);
  for (const panoptim_tensor &tensor : expected.tensors()) std::fill_n(tensor.gradient, tensor.length, 0.0f);
  CHECK(panoptim_cuda_zero_gradients(&actual.call()) == PANOPTIM_OK, "%s", actual.plan().error);
  CHECK(actual.bits() == expected.bits(), "other bits");
}

TEST(nothing_at_all_is_a_step_too) {
  need_device();
  problem none({}, {}, 1);
  device_problem actual(none);
  actual.step();
  problem empty({}, {0, 0}, 1);
  device_problem also(empty);
  also.step();
}

TEST(what_is_wrong_is_said) {
  need_device();
  void *memory = nullptr;
  CHECK(panoptim_cuda_allocate(0, panoptim_int64{1} << 50, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK(std::strcmp(error, "cudaMalloc: out of memory (cudaErrorMemoryAllocation)") == 0, "%s", error);
  CHECK(panoptim_cuda_allocate(1000, 1, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK(std::strcmp(error, "cudaSetDevice: invalid device ordinal (cudaErrorInvalidDevice)") == 0, "%s", error);
  problem p({}, {5}, 1);
  device_problem moved(p);
  moved.plan().first_moment = 7;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strcmp(moved.plan().error, "first_moment is 7, not 0 to 2") == 0, "%s", moved.plan().error);
  moved.plan().first_moment = 0;
  moved.call().coefficients_room = 0;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strstr(moved.plan().error, "there is room for 0"), "%s", moved.plan().error);
  moved.call().tile_count++;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strstr(moved.plan().error, "1 rows of 1 tiles, not 2"), "%s", moved.plan().error);
}
