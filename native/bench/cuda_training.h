// Training on the first GPU, for panoptim_cuda_bench: memory, plan and work.
#ifndef PANOPTIM_BENCH_CUDA_TRAINING_H
#define PANOPTIM_BENCH_CUDA_TRAINING_H

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "../test/device_tables.h"
#include "../test/problem.h"
#include "coefficients.h"
#include "panoptim.h"
#include "rule/composition.h"

inline char error[PANOPTIM_TEXT];

inline void check(int32_t status, const char *text = error) {
  if (status == PANOPTIM_OK) return;
  std::fprintf(stderr, "status %d: %s\n", status, text);
  std::exit(1);
}

inline void await_gpu() {
  check(panoptim_cuda_await(0, nullptr, error));
}

class training {
 public:
  struct shape {
    // The measured work. The fused step clips by norm, averages, writes a bfloat16 copy and zeroes gradients.
    enum work { step, fused_step, norm };
    enum variety {
      usual,
      own_coefficients,  // separate coefficients for each tensor
      unaligned,         // operands begin 4 bytes after a multiple of 16
      zeros              // instead of random data
    };

    composition rule;
    panoptim_int64 tensors;
    panoptim_int64 elements;  // of each tensor
    work what = step;
    variety kind = usual;
  };

  explicit training(const shape &of) : of_(of), tensors_(static_cast<size_t>(of.tensors)) {
    panoptim_int64 first_chunk = 0;
    for (panoptim_int64 row = 0; row < of.tensors; row++) {
      panoptim_tensor &tensor = tensors_[static_cast<size_t>(row)];
      tensor.length = of.elements;
      tensor.offset = row * of.elements;
      tensor.first_chunk = first_chunk;
      tensor.coefficients = of.kind == shape::own_coefficients ? row : 0;
      first_chunk += (of.elements + PANOPTIM_CHUNK - 1) / PANOPTIM_CHUNK;
    }
    const device_tables tables(tensors_);
    const std::vector<int32_t> &chunk_rows = tables.chunk_rows;
    const std::vector<panoptim_cuda_tile> &tiles = tables.tiles;
    place_operands();
    coefficients_.assign(of.kind == shape::own_coefficients ? tensors_.size() : 1, usual_step());
    plan_.tensors = tensors_.data();
    plan_.tensor_count = of.tensors;
    plan_.coefficients = coefficients_.data();
    plan_.coefficients_count = static_cast<panoptim_int64>(coefficients_.size());
    set_composition(plan_, of.rule);
    plan_.averages = plan_.zeroes = is_fused();
    plan_.half_precision = is_fused() ? PANOPTIM_HALF_PRECISION_BFLOAT16 : PANOPTIM_HALF_PRECISION_NONE;
    plan_.square_sums = static_cast<double *>(allocated(first_chunk * 8));
    call_.plan = &plan_;
    call_.tensors = static_cast<panoptim_tensor *>(copied(tensors_.data(), tensors_.size() * sizeof tensors_[0]));
    call_.chunk_rows = static_cast<int32_t *>(copied(chunk_rows.data(), chunk_rows.size() * sizeof chunk_rows[0]));
    call_.tiles = static_cast<panoptim_cuda_tile *>(copied(tiles.data(), tiles.size() * sizeof tiles[0]));
    call_.tile_count = static_cast<panoptim_int64>(tiles.size());
    call_.begins = 1;
    coefficients_there_ = allocated(coefficients_bytes());
    call_.coefficients = static_cast<panoptim_coefficients *>(coefficients_there_);
    check(panoptim_cuda_allocate_pinned(0, coefficients_bytes(), &pinned_coefficients_, error));
    std::memcpy(pinned_coefficients_, coefficients_.data(), static_cast<size_t>(coefficients_bytes()));
    decision_ = static_cast<panoptim_cuda_decision *>(allocated(sizeof *decision_));
    call_.decision = of.what == shape::step ? nullptr : decision_;
    void *copy;
    check(panoptim_cuda_allocate_pinned(0, sizeof *decision_, &copy, error));
    copy_of_decision_ = static_cast<panoptim_cuda_decision *>(copy);
    check(panoptim_cuda_create_event(0, &arrival_, error));
  }

  ~training() {
    panoptim_cuda_free_pinned(0, copy_of_decision_, error);
    panoptim_cuda_free_pinned(0, pinned_coefficients_, error);
    panoptim_cuda_destroy_event(0, arrival_, error);
    for (void *each : memory_) panoptim_cuda_free(0, each, error);
  }

  training(const training &) = delete;
  training &operator=(const training &) = delete;

  void run() {
    if (of_.what != shape::step) check(panoptim_cuda_add_squares(&call_), plan_.error);
    if (of_.what == shape::norm) return;
    if (is_fused()) {
      check(panoptim_cuda_decide(0, nullptr, decision_, 1, 1, 1, copy_of_decision_, arrival_, error));
    }
    // As in a caller whose coefficients change at each step.
    if (plan_.coefficients_count > PANOPTIM_CUDA_FEW) {
      check(panoptim_cuda_copy(0, nullptr, coefficients_there_, pinned_coefficients_, coefficients_bytes(), error));
    }
    check(panoptim_cuda_step(&call_), plan_.error);
  }

  // Copies the parameters to separate memory, so that the operands keep their values.
  void copy() {
    check(panoptim_cuda_copy(0, nullptr, copy_target_, copy_source_, stream_bytes(), error));
  }

  // A fused step sets the gradients to 0, so the first moments shrink by a tenth at each step. After more steps they
  // would become denormal numbers, whose roots and quotients are computed differently.
  int most_steps() const {
    return is_fused() ? 500 : 1 << 30;
  }

  double copied_bytes() const {
    return 2.0 * static_cast<double>(stream_bytes());
  }

  // A step reads the parameter, the gradient and the states, and writes all but the gradient. A fused step also reads
  // the gradient again for its norm, reads and writes the average, and writes the 16-bit copy and the gradient's zeros.
  double moved_bytes() const {
    const int of_step = 12 + 8 * states_of(of_.rule);
    const int each = of_.what == shape::norm ? 4 : is_fused() ? of_step + 4 + 8 + 2 + 4 : of_step;
    return static_cast<double>(of_.tensors * of_.elements) * each;
  }

  // The bytes that a training allocates, without its tables.
  static panoptim_int64 needed_bytes(const shape &of) {
    const panoptim_int64 streams = 3 + states_of(of.rule);
    return of.tensors * stride_of(of) * (streams * 4 + (of.what == shape::fused_step ? 6 : 0));
  }

 private:
  bool is_fused() const {
    return of_.what == shape::fused_step;
  }

  // Tensors begin at multiples of 256 bytes, as allocations do.
  static panoptim_int64 stride_of(const shape &of) {
    return (of.elements + 64 + 63) / 64 * 64;
  }

  panoptim_int64 stream_bytes() const {
    return of_.tensors * stride_of(of_) * 4;
  }

  panoptim_int64 coefficients_bytes() const {
    return static_cast<panoptim_int64>(coefficients_.size() * sizeof coefficients_[0]);
  }

  void *allocated(panoptim_int64 bytes) {
    void *memory;
    check(panoptim_cuda_allocate(0, bytes, &memory, error));
    memory_.push_back(memory);
    return memory;
  }

  void *copied(const void *from, size_t bytes) {
    void *memory = allocated(static_cast<panoptim_int64>(bytes));
    check(panoptim_cuda_copy(0, nullptr, memory, from, static_cast<panoptim_int64>(bytes), error));
    return memory;
  }

  // Random floats up to `largest`, or zeros. The first 4 MiB are random, and the rest repeats them.
  float *filled(float largest, bool positive) {
    const panoptim_int64 bytes = stream_bytes();
    char *memory = static_cast<char *>(allocated(bytes));
    if (of_.kind == shape::zeros) {
      check(panoptim_cuda_fill(0, nullptr, memory, 0, bytes, error));
      return reinterpret_cast<float *>(memory);
    }
    std::vector<float> numbers(static_cast<size_t>(std::min<panoptim_int64>(bytes / 4, 1 << 20)));
    std::uniform_real_distribution<float> uniform(positive ? largest / 1000 : -largest, largest);
    for (float &each : numbers) each = uniform(random_);
    panoptim_int64 done = static_cast<panoptim_int64>(numbers.size() * sizeof(float));
    check(panoptim_cuda_copy(0, nullptr, memory, numbers.data(), done, error));
    while (done < bytes) {
      const panoptim_int64 more = std::min(done, bytes - done);
      check(panoptim_cuda_copy(0, nullptr, memory + done, memory, more, error));
      done += more;
    }
    return reinterpret_cast<float *>(memory);
  }

  panoptim_int64 offset_of(size_t row) const {
    return static_cast<panoptim_int64>(row) * stride_of(of_) + (of_.kind == shape::unaligned ? 1 : 0);
  }

  void place_operands() {
    float *parameters = filled(0.05f, false);
    float *gradients = filled(0.01f, false);
    copy_source_ = parameters;
    copy_target_ = allocated(stream_bytes());
    std::vector<float *> states;
    // A first moment has both signs. The other states are never negative.
    for (int i = 0; i < states_of(of_.rule); i++) {
      const bool first = i == 0 && of_.rule.first_moment != PANOPTIM_FIRST_MOMENT_NONE;
      states.push_back(first ? filled(0.003f, false) : filled(1e-4f, true));
    }
    float *averages = is_fused() ? filled(0.05f, false) : nullptr;
    uint16_t *half_precision = is_fused() ? static_cast<uint16_t *>(allocated(stream_bytes() / 2)) : nullptr;
    for (size_t row = 0; row < tensors_.size(); row++) {
      panoptim_tensor &tensor = tensors_[row];
      const panoptim_int64 offset = offset_of(row);
      tensor.parameter = parameters + offset;
      tensor.gradient = gradients + offset;
      for (size_t i = 0; i < states.size(); i++) tensor.state[i] = states[i] + offset;
      if (averages) tensor.average = averages + offset;
      if (half_precision) tensor.half_precision = half_precision + offset;
    }
  }

  shape of_;
  std::vector<panoptim_tensor> tensors_;
  std::vector<panoptim_coefficients> coefficients_;
  std::vector<void *> memory_;
  std::mt19937 random_{1};
  void *copy_source_;
  void *copy_target_;
  panoptim_plan plan_{};
  panoptim_cuda_plan call_{};
  panoptim_cuda_decision *decision_;
  panoptim_cuda_decision *copy_of_decision_;
  void *arrival_;
  void *coefficients_there_;
  void *pinned_coefficients_;
};

#endif
