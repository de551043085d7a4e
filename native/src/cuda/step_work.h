// The update, with the plan's options before and after it. Each thread keeps a few elements in registers, so each
// operand is read and written once.
#ifndef PANOPTIM_CUDA_STEP_WORK_H
#define PANOPTIM_CUDA_STEP_WORK_H

#include <utility>

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"
#include "rule/update.h"

// Elements that are read or written by one instruction: with 4, 16 bytes of an operand.
template <class Element, int Width>
struct alignas(sizeof(Element) * Width) pack {
  Element at[Width];
};

template <int Width, class Element>
PANOPTIM_DEVICE pack<Element, Width> get(const Element *from) {
  return *reinterpret_cast<const pack<Element, Width> *>(from);
}

template <int Width, class Element>
PANOPTIM_DEVICE void put(Element *to, const pack<Element, Width> &elements) {
  *reinterpret_cast<pack<Element, Width> *>(to) = elements;
}

struct step_arguments {
  const panoptim_tensor *tensors;
  const panoptim_cuda_tile *tiles;
  const panoptim_coefficients *coefficients;  // NULL: all of them are in `few`
  const panoptim_cuda_decision *decision;
  float clip;
  bool clips;
  bool averages;
  bool zeroes;
  int half_precision;
  panoptim_coefficients few[PANOPTIM_CUDA_FEW];
};

// The least that any CUDA allows.
static_assert(sizeof(step_arguments) <= 4096, "more than the arguments of a launch");

template <class Rule>
struct step_work : step_arguments {
  static constexpr int threads = 256;
  static constexpr int blocks = 4;
  static constexpr int wide = 4;

  struct shared {};

  explicit step_work(const step_arguments &arguments) : step_arguments(arguments) {
  }

  PANOPTIM_DEVICE int phases(panoptim_int64) const {
    return 1;
  }

  PANOPTIM_DEVICE void operator()(int, panoptim_int64 block, int thread, shared &) const {
    const range p = tile_at(tensors, tiles, block);
    const panoptim_tensor &tensor = tensors[p.row];
    const operands s(tensor, p.start);
    panoptim_coefficients c = coefficients ? coefficients[tensor.coefficients] : few[tensor.coefficients];
    if (decision) {
      if (decision->skips) {
        if (zeroes) {
          for (panoptim_int64 i = thread; i < p.length; i += threads) s.gradient[i] = 0;
        }
        return;
      }
      c.gradient_scale *= decision->scale;
    }
    constexpr states_of_rule states;
    const float scale = c.gradient_scale;
    if (clips) c.gradient_scale = 1;
    panoptim_int64 whole = 0;
    if (s.are_aligned()) {
      whole = p.length / wide * wide;
      for (panoptim_int64 i = thread * wide; i < whole; i += threads * wide) update<wide>(c, scale, s, i, states);
    }
    for (panoptim_int64 i = whole + thread; i < p.length; i += threads) update<1>(c, scale, s, i, states);
  }

 private:
  using states_of_rule = std::make_integer_sequence<int, Rule::states>;

  // The operands of a tile; those that the rule or the plan lacks are NULL.
  struct operands {
    float *parameter;
    float *gradient;
    float *state[PANOPTIM_STATES];
    float *average;
    unsigned short *half_precision;

    PANOPTIM_DEVICE operands(const panoptim_tensor &tensor, panoptim_int64 start)
        : operands(tensor, start, states_of_rule()) {
    }

    PANOPTIM_DEVICE bool are_aligned() const {
      return are_aligned(states_of_rule());
    }

   private:
    template <int... State>
    PANOPTIM_DEVICE operands(const panoptim_tensor &tensor, panoptim_int64 start, std::integer_sequence<int, State...>)
        : parameter(global(tensor.parameter + start)),
          gradient(global(tensor.gradient + start)),
          state{global(tensor.state[State] + start)...},
          average(tensor.average ? tensor.average + start : nullptr),
          half_precision(tensor.half_precision ? tensor.half_precision + start : nullptr) {
    }

    template <int... State>
    PANOPTIM_DEVICE bool are_aligned(std::integer_sequence<int, State...>) const {
      const uintptr_t floats =
          ((address(parameter) | address(gradient) | address(average)) | ... | address(state[State]));
      return floats % (wide * sizeof(float)) == 0 && address(half_precision) % (wide * sizeof(short)) == 0;
    }

    PANOPTIM_DEVICE static uintptr_t address(const void *operand) {
      return reinterpret_cast<uintptr_t>(operand);
    }
  };

  template <int Width, int... State>
  PANOPTIM_DEVICE void update(const panoptim_coefficients &c, float scale, const operands &s, panoptim_int64 i,
                              std::integer_sequence<int, State...>) const {
    pack<float, Width> w = get<Width>(s.parameter + i);
    pack<float, Width> g = get<Width>(s.gradient + i);
    pack<float, Width> state[PANOPTIM_STATES] = {get<Width>(s.state[State] + i)...};
    for (int k = 0; k < Width; k++) {
      const float gradient = clips ? kept_within(clip, scale * g.at[k]) : g.at[k];
      float x[PANOPTIM_STATES] = {state[State].at[k]...};
      Rule::update(c, w.at[k], gradient, x);
      ((state[State].at[k] = x[State]), ...);
    }
    put(s.parameter + i, w);
    (put(s.state[State] + i, state[State]), ...);
    if (averages) {
      float *address = global(s.average + i);
      pack<float, Width> average = get<Width>(address);
      for (int k = 0; k < Width; k++) average.at[k] = moved_average(c.average_take, w.at[k], average.at[k]);
      put(address, average);
    }
    if (half_precision != PANOPTIM_HALF_PRECISION_NONE) {
      pack<unsigned short, Width> copy;
      for (int k = 0; k < Width; k++) {
        copy.at[k] = half_precision == PANOPTIM_HALF_PRECISION_BFLOAT16 ? bfloat16(w.at[k]) : float16(w.at[k]);
      }
      put(global(s.half_precision + i), copy);
    }
    if (zeroes) put(s.gradient + i, pack<float, Width>{});
  }
};

#endif
