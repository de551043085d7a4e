// A random step for tests: tensors, their operands, coefficients and the plan.
#ifndef PANOPTIM_TEST_PROBLEM_H
#define PANOPTIM_TEST_PROBLEM_H

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "panoptim.h"
#include "rule/composition.h"

// xorshift64*: seeded, with the same numbers on every machine.
class random_numbers {
 public:
  explicit random_numbers(uint64_t seed) : state_(seed * 2 + 1) {
  }

  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717ull;
  }

  int below(int bound) {
    return static_cast<int>(next() >> 33) % bound;
  }

  // A number of ordinary size; with `special`, sometimes 0, a denormal, an infinity, a NaN or a huge number.
  float value(bool special) {
    if (special && below(16) == 0) {
      static const float specials[] = {0.0f,
                                       -0.0f,
                                       1e-45f,
                                       -1e-40f,
                                       1e38f,
                                       -3e38f,
                                       std::numeric_limits<float>::infinity(),
                                       -std::numeric_limits<float>::infinity(),
                                       std::numeric_limits<float>::quiet_NaN(),
                                       -std::numeric_limits<float>::quiet_NaN()};
      return specials[below(sizeof specials / sizeof *specials)];
    }
    const float mantissa = static_cast<float>(static_cast<int64_t>(next() >> 40) - (1 << 23)) / (1 << 23);
    // The product with a power of two is exact.
    return mantissa * static_cast<float>(1 << below(20)) / (1 << 16);
  }

 private:
  uint64_t state_;
};

inline std::vector<composition> legal_compositions() {
  std::vector<composition> all;
  for (int index = 0; index < compositions; index++) {
    if (!why_illegal(composition_at(index))) all.push_back(composition_at(index));
  }
  return all;
}

// The axes' values in order.
inline std::string words(composition c) {
  std::string text = "rule";
#define PANOPTIM_WORD(name, values) text += " " + std::to_string(c.name);
  PANOPTIM_AXES(PANOPTIM_WORD)
#undef PANOPTIM_WORD
  return text;
}

// Coefficients like those of AdamW's third step. All coefficients that any composition reads are set.
inline panoptim_coefficients usual_coefficients() {
  panoptim_coefficients c{};
  c.gradient_scale = -1;
  c.weight_decay = 0.01f;
  c.first_decay = 0.9f;
  c.first_decay_rest = 2.4e-8f;
  c.first_take = 0.1f;
  c.second_decay = 0.999f;
  c.second_decay_rest = 1.3e-8f;
  c.second_take = 0.001f;
  c.nesterov_input = 1;
  c.nesterov_moment = 0.9f;
  c.epsilon_inside = 1e-9f;
  c.epsilon = 1e-8f;
  c.divides = 1;
  c.step_size = 0.02f;
  c.average_take = 0.01f;
  c.clipped_scale = 1;
  const float special[] = {0.9f, 0.1f, 0.01f, 0.5f, 0.25f, 1};
  static_assert(sizeof special == sizeof c.special, "a number for each special coefficient");
  std::copy(std::begin(special), std::end(special), c.special);
  return c;
}

inline void set_composition(panoptim_plan &plan, composition c) {
#define PANOPTIM_COPY(name, values) plan.name = c.name;
  PANOPTIM_AXES(PANOPTIM_COPY)
#undef PANOPTIM_COPY
}

class problem {
 public:
  // `shift` floats lie between a 64-byte boundary and the start of each operand.
  problem(composition rule, const std::vector<panoptim_int64> &lengths, uint64_t seed, int shift = 0,
          bool special = true)
      : rule_(rule), lengths_(lengths), shift_(shift) {
    allocate();
    random_numbers numbers(seed);
    for (const panoptim_tensor &tensor : tensors_) {
      for (panoptim_int64 i = 0; i < tensor.length; i++) {
        tensor.average[i] = numbers.value(special);
        tensor.parameter[i] = numbers.value(special);
        tensor.gradient[i] = numbers.value(special);
        for (int s = 0; s < states_of(rule); s++) {
          const float state = numbers.value(special);
          const bool first = s == 0 && rule.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
          tensor.state[s][i] = first ? state : std::fabs(state);
        }
      }
    }
  }

  // The same operands in other memory. A copy takes less time than the random numbers.
  problem(const problem &other) : rule_(other.rule_), lengths_(other.lengths_), shift_(other.shift_) {
    allocate();
    copy_from(other);
  }

  problem &operator=(const problem &) = delete;

  // Overwrites all operands, and the padding around them, with those of a copy of this problem.
  void copy_from(const problem &copy) {
    for (size_t i = 0; i < memories_.size(); i++) {
      std::memcpy(memories_[i].start.get(), copy.memories_[i].start.get(), memories_[i].size * sizeof(float));
    }
  }

  panoptim_plan plan(int tier) const {
    panoptim_plan plan{};
    plan.tensors = tensors_.data();
    plan.tensor_count = static_cast<panoptim_int64>(tensors_.size());
    plan.coefficients = &coefficients_;
    plan.coefficients_count = 1;
    set_composition(plan, rule_);
    plan.tier = tier;
    plan.measured = (1 << PANOPTIM_MEASURES) - 1;
    return plan;
  }

  panoptim_int64 chunks() const {
    return tensors_.empty()
               ? 0
               : tensors_.back().first_chunk + (tensors_.back().length + PANOPTIM_CHUNK - 1) / PANOPTIM_CHUNK;
  }

  // Whether all operands, and the padding around them, have the bits of those of a copy of this problem.
  bool has_bits_of(const problem &copy) const {
    for (size_t i = 0; i < memories_.size(); i++) {
      const size_t bytes = memories_[i].size * sizeof(float);
      if (std::memcmp(memories_[i].start.get(), copy.memories_[i].start.get(), bytes) != 0) return false;
    }
    return memories_.size() == copy.memories_.size();
  }

  // All bits of all operands, with the padding around them.
  std::vector<uint32_t> bits() const {
    std::vector<uint32_t> all;
    for (const memory &each : memories_) {
      const size_t before = all.size();
      all.resize(before + each.size);
      std::memcpy(all.data() + before, each.start.get(), each.size * sizeof(float));
    }
    return all;
  }

  std::vector<panoptim_tensor> &tensors() {
    return tensors_;
  }

  struct extent {
    float *start;
    size_t size;
  };

  // The memory of an operand, with the padding around it.
  extent extent_of(float *operand) const {
    const memory &found = memories_[places_.at(operand)];
    return {found.start.get(), found.size};
  }

 private:
  struct release {
    void operator()(float *start) const {
      std::free(start);
    }
  };

  struct memory {
    std::unique_ptr<float, release> start;
    size_t size;
  };

  // Elements around an operand, which no step may change.
  static constexpr int padding = 32;
  static constexpr float untouched = 12345;

  void allocate() {
    panoptim_int64 offset = 0;
    panoptim_int64 first_chunk = 0;
    for (panoptim_int64 length : lengths_) {
      panoptim_tensor tensor{};
      tensor.parameter = operand(length);
      tensor.gradient = operand(length);
      for (int i = 0; i < states_of(rule_); i++) tensor.state[i] = operand(length);
      tensor.average = operand(length);
      tensor.half_precision = reinterpret_cast<uint16_t *>(operand((length + 1) / 2));
      tensor.length = length;
      tensor.offset = offset;
      offset += length;
      tensor.first_chunk = first_chunk;
      first_chunk += (length + PANOPTIM_CHUNK - 1) / PANOPTIM_CHUNK;
      tensors_.push_back(tensor);
    }
  }

  float *operand(panoptim_int64 length) {
    const size_t size = (static_cast<size_t>(length) + 2 * padding + 15) / 16 * 16;
    float *start = static_cast<float *>(std::aligned_alloc(64, size * sizeof(float)));
    std::fill(start, start + size, untouched);
    memories_.push_back({std::unique_ptr<float, release>(start), size});
    places_[start + padding + shift_] = memories_.size() - 1;
    return start + padding + shift_;
  }

  composition rule_;
  std::vector<panoptim_int64> lengths_;
  int shift_;
  panoptim_coefficients coefficients_ = usual_coefficients();
  std::vector<panoptim_tensor> tensors_;
  std::vector<memory> memories_;
  std::map<float *, size_t> places_;  // the index of each operand's memory
};

// The available tiers, from the baseline tier on.
inline std::vector<int> available_tiers() {
  panoptim_description description;
  panoptim_describe(&description);
  std::vector<int> tiers;
  for (int tier = 0; tier < PANOPTIM_TIERS; tier++) {
    if (description.tier_available[tier]) tiers.push_back(tier);
  }
  return tiers;
}

#endif
