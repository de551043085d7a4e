// The update, with the plan's options before and after it. Each thread keeps a few elements in registers, so each
// operand is read and written once.
#ifndef PANOPTIM_CUDA_STEP_WORK_H
#define PANOPTIM_CUDA_STEP_WORK_H

#include <utility>

#include "cuda/launch.h"
#include "cuda/tiles.h"
#include "panoptim.h"
#include "rule/update.h"

// A few elements of an operand, which a thread updates together: all are read before the first is used.
template <class Element, int Width>
struct alignas(sizeof(Element) * Width) pack {
  Element at[Width];
};

// Neighbouring elements: one instruction reads or writes them, with 4 floats 16 bytes.
template <int Width>
struct neighbours {
  static constexpr int width = Width;

  panoptim_int64 first;

  template <class Element>
  PANOPTIM_DEVICE pack<Element, Width> get(const Element *from) const {
    return *reinterpret_cast<const pack<Element, Width> *>(from + first);
  }

  template <class Element>
  PANOPTIM_DEVICE void put(Element *to, const pack<Element, Width> &elements) const {
    *reinterpret_cast<pack<Element, Width> *>(to + first) = elements;
  }
};

// Elements at a distance, so that neighbouring threads have neighbouring ones, as far as there are any.
template <int Width, int Distance>
struct strided {
  static constexpr int width = Width;

  panoptim_int64 first;
  panoptim_int64 end;

  template <class Element>
  PANOPTIM_DEVICE pack<Element, Width> get(const Element *from) const {
    pack<Element, Width> elements{};
    for (int k = 0; k < Width; k++) {
      if (first + k * Distance < end) elements.at[k] = from[first + k * Distance];
    }
    return elements;
  }

  template <class Element>
  PANOPTIM_DEVICE void put(Element *to, const pack<Element, Width> &elements) const {
    for (int k = 0; k < Width; k++) {
      if (first + k * Distance < end) to[first + k * Distance] = elements.at[k];
    }
  }
};

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

// The smallest limit of all versions of CUDA.
static_assert(sizeof(step_arguments) <= 4096, "more than the arguments of a launch");

// On an H100, two blocks of 512 threads on a multiprocessor reach the bandwidth of a copy, and three for SGD, which has
// no states: scripts/gpu/card.sh, in docs/benchmarks.md. Blocks of 256 threads were slower, and so were more blocks
// with fewer registers.
template <class Rule>
struct step_work : step_arguments {
  static constexpr int threads = 512;
  static constexpr int blocks = Rule::states == 0 ? 3 : 2;
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
    if (clips) c.gradient_scale = c.clipped_scale;
    panoptim_int64 done = 0;
    if (s.are_aligned()) {
      done = p.length / wide * wide;
      for (panoptim_int64 i = thread * wide; i < done; i += threads * wide) {
        update(c, scale, s, neighbours<wide>{i}, states);
      }
    }
    for (panoptim_int64 i = done + thread; i < p.length; i += threads * wide) {
      update(c, scale, s, strided<wide, threads>{i, p.length}, states);
    }
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

  template <class Elements, int... State>
  PANOPTIM_DEVICE void update(const panoptim_coefficients &c, float scale, const operands &s, const Elements &elements,
                              std::integer_sequence<int, State...>) const {
    constexpr int width = Elements::width;
    pack<float, width> w = elements.get(s.parameter);
    pack<float, width> g = elements.get(s.gradient);
    pack<float, width> state[PANOPTIM_STATES] = {elements.get(s.state[State])...};
    for (int k = 0; k < width; k++) {
      const float gradient = clips ? kept_within(clip, scale * g.at[k]) : g.at[k];
      float x[PANOPTIM_STATES] = {state[State].at[k]...};
      Rule::update(c, w.at[k], gradient, x);
      ((state[State].at[k] = x[State]), ...);
    }
    elements.put(s.parameter, w);
    (elements.put(s.state[State], state[State]), ...);
    if (averages) {
      float *there = global(s.average);
      pack<float, width> average = elements.get(there);
      for (int k = 0; k < width; k++) average.at[k] = moved_average(c.average_take, w.at[k], average.at[k]);
      elements.put(there, average);
    }
    if (half_precision != PANOPTIM_HALF_PRECISION_NONE) {
      pack<unsigned short, width> copy;
      for (int k = 0; k < width; k++) {
        copy.at[k] = half_precision == PANOPTIM_HALF_PRECISION_BFLOAT16 ? bfloat16(w.at[k]) : float16(w.at[k]);
      }
      elements.put(global(s.half_precision), copy);
    }
    if (zeroes) elements.put(s.gradient, pack<float, width>{});
  }
};

#endif
