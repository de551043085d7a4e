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
  problem moved(expected);
  device_problem actual(moved);
  set_options(plan, fused, half_precision);
  set_options(actual.plan(), fused, half_precision);
  for (int i = 0; i < steps; i++) {
    plan.zeroes = actual.plan().zeroes = fused && i == steps - 1;
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
    actual.step();
  }
  CHECK(actual.has_bits_of(expected), "the device differs: seed %llu, first of %zu lengths %lld, shift %d, %s",
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

namespace {

// An operand of the large tensor: a pattern of bytes, with windows of the host's numbers at the given starts.
on_device<float> patterned(panoptim_int64 length, int byte, const std::vector<panoptim_int64> &starts,
                           const std::vector<panoptim_tensor> &windows, float *(*operand)(const panoptim_tensor &)) {
  on_device<float> all(static_cast<size_t>(length));
  CHECK_OK(panoptim_cuda_fill(0, nullptr, all.get(), byte, length * 4, error));
  for (size_t i = 0; i < starts.size(); i++) {
    CHECK_OK(panoptim_cuda_copy(0, nullptr, all.get() + starts[i], operand(windows[i]), windows[i].length * 4, error));
  }
  return all;
}

}  // namespace

// More than 2^31 elements, so that numbers of elements and bytes exceed 32 bits. Windows of random numbers lie where an
// overflow would begin or end. PANOPTIM_LARGE is the number of elements; 1 is 2^31 + 3, for a GPU with 36 GB.
TEST(a_device_agrees_on_a_tensor_of_more_than_2_31_elements) {
  need_device();
  const char *large = std::getenv("PANOPTIM_LARGE");
  if (!large) {
    std::printf("skipped: PANOPTIM_LARGE is not set\n");
    std::exit(77);
  }
  const panoptim_int64 wanted = std::atoll(large);
  const panoptim_int64 length = wanted == 1 ? (panoptim_int64{1} << 31) + 3 : wanted;
  const panoptim_int64 chunks = (length + PANOPTIM_CHUNK - 1) / PANOPTIM_CHUNK;
  CHECK(chunks >= 8, "PANOPTIM_LARGE is %lld", wanted);
  const panoptim_int64 last = (chunks - 1) * PANOPTIM_CHUNK;
  const std::vector<panoptim_int64> starts = {0, chunks / 4 * PANOPTIM_CHUNK, chunks / 2 * PANOPTIM_CHUNK,
                                              last - PANOPTIM_CHUNK, last};
  problem windows({1, 0, 1, 0, 0, 2}, {PANOPTIM_CHUNK, PANOPTIM_CHUNK, PANOPTIM_CHUNK, PANOPTIM_CHUNK, length - last},
                  15, 0, false);
  std::vector<panoptim_tensor> &there = windows.tensors();
  constexpr int pattern_of_gradients = 0x3c;
  const auto parameters = patterned(length, 0x3d, starts, there, [](const auto &t) { return t.parameter; });
  const auto gradients =
      patterned(length, pattern_of_gradients, starts, there, [](const auto &t) { return t.gradient; });
  const auto first = patterned(length, 0x3b, starts, there, [](const auto &t) { return t.state[0]; });
  const auto second = patterned(length, 0x38, starts, there, [](const auto &t) { return t.state[1]; });

  device_problem whole(windows);  // for its composition and coefficients
  panoptim_tensor row{};
  row.parameter = parameters.get();
  row.gradient = gradients.get();
  row.state[0] = first.get();
  row.state[1] = second.get();
  row.length = length;
  const device_tables tables({row});
  const std::vector<panoptim_cuda_tile> &tiles = tables.tiles;
  const std::vector<int32_t> &rows = tables.chunk_rows;
  const on_device<panoptim_tensor> row_there(&row, 1);
  const on_device<panoptim_cuda_tile> tiles_there(tiles.data(), tiles.size());
  const on_device<int32_t> rows_there(rows.data(), rows.size());
  const on_device<double> sums_there(rows.size());
  const on_device<panoptim_cuda_decision> decision_there(1);
  whole.plan().tensors = &row;
  whole.plan().tensor_count = 1;
  whole.plan().square_sums = sums_there.get();
  whole.call().tensors = row_there.get();
  whole.call().chunk_rows = rows_there.get();
  whole.call().tiles = tiles_there.get();
  whole.call().tile_count = static_cast<panoptim_int64>(tiles.size());
  whole.call().decision = decision_there.get();
  whole.call().begins = 1;

  // The chunks' sums: all chunks are alike, but for the windows.
  std::vector<float> alike(PANOPTIM_CHUNK);
  std::memset(alike.data(), pattern_of_gradients, alike.size() * sizeof(float));
  panoptim_plan plan = windows.plan(PANOPTIM_TIER_BASELINE);
  std::vector<double> sums_of_windows(starts.size());
  plan.square_sums = sums_of_windows.data();
  CHECK(panoptim_sum_squares(&plan) == PANOPTIM_OK, "%s", plan.error);
  panoptim_tensor alike_row{};
  alike_row.gradient = alike_row.parameter = alike.data();
  alike_row.length = PANOPTIM_CHUNK;
  panoptim_plan alike_plan{};
  double sum_alike = 0;
  alike_plan.tensors = &alike_row;
  alike_plan.tensor_count = 1;
  alike_plan.coefficients = plan.coefficients;
  alike_plan.coefficients_count = 1;
  alike_plan.square_sums = &sum_alike;
  CHECK(panoptim_sum_squares(&alike_plan) == PANOPTIM_OK, "%s", alike_plan.error);
  double squares = 0;
  for (panoptim_int64 chunk = 0; chunk < chunks; chunk++) {
    const auto window = std::find(starts.begin(), starts.end(), chunk * PANOPTIM_CHUNK);
    squares += window == starts.end() ? sum_alike : sums_of_windows[static_cast<size_t>(window - starts.begin())];
  }
  CHECK(panoptim_cuda_add_squares(&whole.call()) == PANOPTIM_OK, "%s", whole.plan().error);
  panoptim_cuda_decision decision;
  decision_there.copy_to(&decision);
  CHECK(decision.squares == squares, "%a, not %a", decision.squares, squares);

  whole.call().decision = nullptr;
  whole.step();
  problem expected({1, 0, 1, 0, 0, 2}, {PANOPTIM_CHUNK, PANOPTIM_CHUNK, PANOPTIM_CHUNK, PANOPTIM_CHUNK, length - last},
                   15, 0, false);
  panoptim_plan expected_plan = expected.plan(PANOPTIM_TIER_BASELINE);
  CHECK(panoptim_step(&expected_plan) == PANOPTIM_OK, "%s", expected_plan.error);
  for (size_t i = 0; i < starts.size(); i++) {
    const panoptim_int64 bytes = there[i].length * 4;
    const auto take = [&](const on_device<float> &from, float *to) {
      CHECK_OK(panoptim_cuda_copy(0, nullptr, to, from.get() + starts[i], bytes, error));
    };
    take(parameters, there[i].parameter);
    take(gradients, there[i].gradient);
    take(first, there[i].state[0]);
    take(second, there[i].state[1]);
  }
  CHECK_OK(panoptim_cuda_await(0, nullptr, error));
  CHECK(windows.bits() == expected.bits(), "other bits in a window");
}

TEST(each_row_has_its_own_coefficients) {
  need_device();
  for (const int count : {2, PANOPTIM_CUDA_FEW, PANOPTIM_CUDA_FEW + 1, 100}) {
    const std::vector<panoptim_int64> lengths(static_cast<size_t>(count), 70);
    problem expected({1, 0, 1, 0, 0, 2}, lengths, 5);
    problem moved(expected);
    std::vector<panoptim_coefficients> coefficients;
    for (int i = 0; i < count; i++) {
      coefficients.push_back(usual_coefficients());
      coefficients.back().step_size = 0.01f * static_cast<float>(i);
      expected.tensors()[static_cast<size_t>(i)].coefficients = count - 1 - i;
      moved.tensors()[static_cast<size_t>(i)].coefficients = count - 1 - i;
    }
    panoptim_plan plan = expected.plan(PANOPTIM_TIER_BASELINE);
    plan.coefficients = coefficients.data();
    plan.coefficients_count = count;
    CHECK(panoptim_step(&plan) == PANOPTIM_OK, "%s", plan.error);
    device_problem actual(moved);
    actual.set_coefficients(coefficients);
    actual.step();
    CHECK(actual.has_bits_of(expected), "other bits with %d coefficients", count);
  }
}

namespace {

// The norm and its decision in one thread of the host, then the step.
void check_decision(const std::vector<panoptim_int64> &lengths, uint64_t seed, bool special, double scale, double limit,
                    bool skips, bool zeroes) {
  const composition rule{1, 0, 1, 0, 0, 2};
  problem expected(rule, lengths, seed, 0, special);
  problem moved(expected);
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

  device_problem actual(moved);
  on_device<panoptim_cuda_decision> on(1);
  void *pinned, *event;
  CHECK_OK(panoptim_cuda_allocate_pinned(0, sizeof(panoptim_cuda_decision), &pinned, error));
  CHECK_OK(panoptim_cuda_create_event(0, &event, error));
  panoptim_cuda_decision &decision = *static_cast<panoptim_cuda_decision *>(pinned);
  actual.call().decision = on.get();
  actual.plan().zeroes = zeroes;
  // The sum over two plans, in order, equals the sum over one plan with the rows of both.
  for (int pass = 0; pass < 2; pass++) {
    actual.call().begins = pass == 0;
    CHECK(panoptim_cuda_add_squares(&actual.call()) == PANOPTIM_OK, "%s", actual.plan().error);
  }
  CHECK_OK(panoptim_cuda_decide(0, nullptr, on.get(), scale, limit, skips, &decision, event, error));
  actual.step();
  CHECK(actual.has_bits_of(expected), "other bits: seed %llu", static_cast<unsigned long long>(seed));
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
  // Chunks around one and two batches of square_sums_work, and more.
  for (const size_t chunks : {255, 256, 257, 511, 512, 513, 9000}) {
    check_decision(std::vector<panoptim_int64>(chunks, 3), 7, false, 0.5, 1, true, false);
  }
}

TEST(a_device_measures_with_the_host_s_bits) {
  need_device();
  uint64_t seed = 900;
  for (composition rule : legal_compositions()) {
    for (bool clips : {false, true}) {
      problem p(rule, {0, 1, 255, 257, PANOPTIM_CHUNK, PANOPTIM_CHUNK + 17}, seed++, 1, false);
      problem moved(p);
      device_problem actual(moved);
      set_options(actual.plan(), clips, PANOPTIM_HALF_PRECISION_NONE);
      std::vector<double> expected(static_cast<size_t>(p.chunks()) * PANOPTIM_MEASURES);
      panoptim_plan plan = p.plan(PANOPTIM_TIER_BASELINE);
      set_options(plan, clips, PANOPTIM_HALF_PRECISION_NONE);
      plan.measures = expected.data();
      const int parameter = 1 << PANOPTIM_MEASURE_PARAMETER, gradient = 1 << PANOPTIM_MEASURE_GRADIENT;
      const int change = 1 << PANOPTIM_MEASURE_CHANGE, last = 1 << PANOPTIM_MEASURE_LAST;
      for (int needed : {gradient, parameter | gradient, parameter | change, last, parameter, change}) {
        plan.measured = actual.plan().measured = needed;
        CHECK(panoptim_measure(&plan) == PANOPTIM_OK, "%s", plan.error);
        CHECK(actual.measures() == expected, "the device differs: seed %llu, needed %d, %s",
              static_cast<unsigned long long>(seed), needed, words(rule).c_str());
      }
      CHECK(actual.has_bits_of(p), "an operand has changed: %s", words(rule).c_str());
    }
  }
}

TEST(gradients_are_set_to_zero_and_nothing_else) {
  need_device();
  const std::vector<panoptim_int64> lengths = {0, 1, 4097, 2 * PANOPTIM_CHUNK + 5};
  problem expected({}, lengths, 3, 1);
  problem moved(expected);
  device_problem actual(moved);
  for (const panoptim_tensor &tensor : expected.tensors()) std::fill_n(tensor.gradient, tensor.length, 0.0f);
  CHECK(panoptim_cuda_zero_gradients(&actual.call()) == PANOPTIM_OK, "%s", actual.plan().error);
  CHECK(actual.has_bits_of(expected), "other bits");
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
  // The words between are CUDA's description, which may differ between versions.
  CHECK(panoptim_cuda_allocate(0, more_than_a_device_has, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK(std::strstr(error, "cudaMalloc: ") == error && std::strstr(error, " (cudaErrorMemoryAllocation)"), "%s", error);
  CHECK(panoptim_cuda_allocate(1000, 1, &memory, error) == PANOPTIM_CUDA_FAILED, "allocated");
  CHECK(std::strstr(error, "cudaSetDevice: ") == error && std::strstr(error, " (cudaErrorInvalidDevice)"), "%s", error);
  problem p({}, {5}, 1);
  device_problem moved(p);
  moved.plan().first_moment = 7;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strcmp(moved.plan().error, "first_moment is 7, not 0 to 2") == 0, "%s", moved.plan().error);
  moved.plan().first_moment = 0;
  moved.set_coefficients(std::vector<panoptim_coefficients>(PANOPTIM_CUDA_FEW + 1, usual_coefficients()));
  moved.call().coefficients = nullptr;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strstr(moved.plan().error, "is 33, more than 32, but coefficients is NULL"), "%s", moved.plan().error);
  moved.call().tile_count++;
  CHECK(panoptim_cuda_step(&moved.call()) == PANOPTIM_INVALID_ARGUMENT, "made");
  CHECK(std::strstr(moved.plan().error, "1 rows of 1 tiles, not 2"), "%s", moved.plan().error);
}
