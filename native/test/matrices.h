// Random matrix products for tests, and the chains of the specification, computed one element at a time.
#ifndef PANOPTIM_TEST_MATRICES_H
#define PANOPTIM_TEST_MATRICES_H

#include <memory>

#include "guarded.h"
#include "problem.h"
#include "rule/arithmetic.h"

// A matrix whose rows are separated by padding. The padding is NaN, so that a read of it would be seen.
class matrix {
 public:
  matrix(int rows, int columns, int padding, bool at_start)
      : rows_(rows),
        columns_(columns),
        stride_(columns + padding),
        memory_(std::make_unique<guarded_memory>(floats() * sizeof(float), at_start)) {
    for (size_t i = 0; i < floats(); i++) data()[i] = std::numeric_limits<float>::quiet_NaN();
  }

  // With `specials`, about so many elements are infinite, NaN, denormal or huge.
  void fill(random_numbers &numbers, int specials) {
    for (int i = 0; i < rows_; i++) {
      for (int j = 0; j < columns_; j++) at(i, j) = numbers.value(false);
    }
    for (int i = 0; i < specials && rows_ > 0 && columns_ > 0; i++) {
      at(numbers.below(rows_), numbers.below(columns_)) = numbers.value(true);
    }
  }

  void make_symmetric() {
    for (int i = 0; i < rows_; i++) {
      for (int j = 0; j < i; j++) at(i, j) = at(j, i);
    }
  }

  float *data() const {
    return static_cast<float *>(memory_->start());
  }

  float &at(int row, int column) const {
    return data()[static_cast<size_t>(row) * static_cast<size_t>(stride_) + static_cast<size_t>(column)];
  }

  int stride() const {
    return stride_;
  }

  // All elements, with the padding between the rows; without padding after the last row.
  size_t floats() const {
    return rows_ == 0 ? 0
                      : static_cast<size_t>(rows_ - 1) * static_cast<size_t>(stride_) + static_cast<size_t>(columns_);
  }

  void copy_from(const matrix &other) {
    if (floats() > 0) std::memcpy(data(), other.data(), floats() * sizeof(float));
  }

 private:
  int rows_;
  int columns_;
  int stride_;
  std::unique_ptr<guarded_memory> memory_;
};

struct product_shape {
  int rows;
  int columns;
  int depth;
  int32_t form = PANOPTIM_PRODUCT_GENERAL;
  int count = 1;
  int padding = 0;
  float alpha = 1;
  float beta = 0;
  bool in_place = false;  // the output is the added matrix
  int specials = 0;
  bool at_start = false;  // the place of the protected page
};

inline std::string words(const product_shape &s) {
  char text[PANOPTIM_TEXT];
  std::snprintf(
      text, sizeof text,
      "%d x %d, depth %d, form %d, count %d, padding %d, alpha %g, beta %g, in place %d, specials %d, at start %d",
      s.rows, s.columns, s.depth, s.form, s.count, s.padding, static_cast<double>(s.alpha), static_cast<double>(s.beta),
      s.in_place, s.specials, s.at_start);
  return text;
}

class random_product {
 public:
  random_product(const product_shape &shape, uint64_t seed) : shape_(shape) {
    random_numbers numbers(seed);
    const bool symmetric = shape.form == PANOPTIM_PRODUCT_SYMMETRIC;
    for (int i = 0; i < shape.count; i++) {
      add(left_, shape.rows, shape.depth, numbers);
      if (!symmetric) add(right_, shape.depth, shape.columns, numbers);
      add(added_, shape.rows, shape.columns, numbers);
      if (symmetric) added_.back().make_symmetric();
      output_.emplace_back(shape.rows, shape.columns, shape.padding, shape.at_start);
      expected_.emplace_back(shape.rows, shape.columns, shape.padding, shape.at_start);
    }
    for (int i = 0; i < shape.count; i++) {
      output_[i].copy_from(added_[i]);
      lefts_.push_back(left_[i].data());
      rights_.push_back(symmetric ? nullptr : right_[i].data());
      addeds_.push_back(shape.in_place ? output_[i].data() : shape.beta == 0 ? nullptr : added_[i].data());
      outputs_.push_back(output_[i].data());
      compute_expected(i);
    }
  }

  panoptim_product product(int tier, int threads) {
    panoptim_product p{};
    p.left = lefts_.data();
    p.right = rights_.data();
    p.added = addeds_.data();
    p.output = outputs_.data();
    p.count = shape_.count;
    p.rows = shape_.rows;
    p.columns = shape_.columns;
    p.depth = shape_.depth;
    p.left_stride = shape_.depth + shape_.padding;
    p.right_stride = p.added_stride = p.output_stride = shape_.columns + shape_.padding;
    p.alpha = shape_.alpha;
    p.beta = shape_.beta;
    p.form = shape_.form;
    p.tier = tier;
    p.threads = threads;
    return p;
  }

  // Prepares another run.
  void reset_output() {
    for (int i = 0; i < shape_.count; i++) output_[i].copy_from(added_[i]);
  }

  // The number of elements, or of floats of padding, whose bits are not those of the chain.
  size_t differences() const {
    size_t count = 0;
    for (int i = 0; i < shape_.count; i++) {
      for (size_t j = 0; j < output_[i].floats(); j++) {
        count += bits_of(output_[i].data()[j]) != bits_of(expected_[i].data()[j]);
      }
    }
    return count;
  }

 private:
  void add(std::vector<matrix> &matrices, int rows, int columns, random_numbers &numbers) {
    matrices.emplace_back(rows, columns, shape_.padding, shape_.at_start);
    matrices.back().fill(numbers, shape_.specials);
  }

  void compute_expected(int index) {
    const bool symmetric = shape_.form == PANOPTIM_PRODUCT_SYMMETRIC;
    for (int i = 0; i < shape_.rows; i++) {
      for (int j = 0; j < shape_.columns; j++) {
        float sum = 0;
        for (int k = 0; k < shape_.depth; k++) {
          const float right = symmetric ? left_[index].at(j, k) : right_[index].at(k, j);
          sum = fused_multiply_add(left_[index].at(i, k), right, sum);
        }
        const float last = shape_.beta == 0 ? 0 : shape_.beta * added_[index].at(i, j);
        expected_[index].at(i, j) = canonical(fused_multiply_add(shape_.alpha, sum, last));
      }
    }
  }

  product_shape shape_;
  std::vector<matrix> left_;
  std::vector<matrix> right_;
  std::vector<matrix> added_;
  std::vector<matrix> output_;
  std::vector<matrix> expected_;
  std::vector<const float *> lefts_;
  std::vector<const float *> rights_;
  std::vector<const float *> addeds_;
  std::vector<float *> outputs_;
};

#endif
