// Half-precision copies, in every tier, against the nearest number of the format.
#include "check.h"
#include "problem.h"
#include "rule/arithmetic.h"
#include "tier/tiers.h"

namespace {

// The nearest number of a format; of two equally near ones, the even one.
template <class Value>
uint16_t nearest(float x, Value value_of, uint16_t infinity) {
  const double size = std::fabs(static_cast<double>(x));
  uint16_t low = 0;
  uint16_t high = infinity;
  while (high - low > 1) {
    const uint16_t middle = static_cast<uint16_t>((low + high) / 2);
    (value_of(middle) <= size ? low : high) = middle;
  }
  const double below = size - value_of(low);
  const double above = value_of(high) - size;
  const uint16_t chosen = below < above || (below == above && low % 2 == 0) ? low : high;
  return static_cast<uint16_t>(chosen | (std::signbit(x) ? 0x8000 : 0));
}

// Infinity has the value of the next number, so that numbers that round to it are found in the same way.
double bfloat16_value(uint16_t bits) {
  if (bits == 0x7f80) return std::ldexp(1.0, 128);
  return static_cast<double>(float_of(static_cast<unsigned>(bits) << 16));
}

double float16_value(uint16_t bits) {
  const int exponent = bits >> 10;
  const int mantissa = bits & 0x3ff;
  return exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(0x400 + mantissa, exponent - 25);
}

}  // namespace

TEST(half_precision_copies_are_the_nearest_number_in_every_tier) {
  std::vector<float> numbers = {0.0f,     -0.0f,   1.0f,          65504.0f, 65519.996f,
                                65520.0f, 3.4e38f, 3.3961775e38f, 1e-45f,   6.1e-5f};
  random_numbers random(5);
  for (int i = 0; i < 20000; i++) {
    const float x = float_of(static_cast<unsigned>(random.next() >> 32));
    if (!std::isnan(x) && !std::isinf(x)) numbers.push_back(x);
    // Ties and their neighbours, in the range of float16.
    numbers.push_back(float_of((0x33000000u + static_cast<unsigned>(random.below(0x15000000))) & ~0xfffu));
    numbers.push_back(float_of(bits_of(numbers.back()) + 1));
  }
  const panoptim_int64 length = static_cast<panoptim_int64>(numbers.size());
  for (int tier : available_tiers()) {
    for (int kind : {PANOPTIM_HALF_PRECISION_BFLOAT16, PANOPTIM_HALF_PRECISION_FLOAT16}) {
      std::vector<uint16_t> half_precision(numbers.size());
      kernels_of(tier)->half_precision[kind](length, numbers.data(), half_precision.data());
      for (size_t i = 0; i < numbers.size(); i++) {
        const uint16_t expected = kind == PANOPTIM_HALF_PRECISION_BFLOAT16 ? nearest(numbers[i], bfloat16_value, 0x7f80)
                                                                           : nearest(numbers[i], float16_value, 0x7c00);
        CHECK(half_precision[i] == expected, "tier %d, kind %d: %a became 0x%04x, not 0x%04x", tier, kind,
              static_cast<double>(numbers[i]), half_precision[i], expected);
      }
      const float odd[] = {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
      uint16_t out[4];
      kernels_of(tier)->half_precision[kind](4, odd, out);
      const uint16_t nan = kind == PANOPTIM_HALF_PRECISION_BFLOAT16 ? 0x7fc0 : 0x7e00;
      const uint16_t infinity = kind == PANOPTIM_HALF_PRECISION_BFLOAT16 ? 0x7f80 : 0x7c00;
      CHECK(out[0] == nan && out[1] == nan && out[2] == infinity && out[3] == (infinity | 0x8000), "tier %d", tier);
    }
  }
}
