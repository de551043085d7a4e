// Invalid products are refused before anything is written, with the reason.
#include <functional>

#include "check.h"
#include "matrices.h"

namespace {

struct refused_product {
  const char *reason;  // part of the error text
  std::function<void(panoptim_product &)> change;
  int32_t status = PANOPTIM_INVALID_ARGUMENT;
};

const std::vector<refused_product> of_the_shape = {
    {"tier 7: there is no such tier", [](panoptim_product &p) { p.tier = 7; }, PANOPTIM_UNSUPPORTED_TIER},
    {"threads is 0, not 1 or more", [](panoptim_product &p) { p.threads = 0; }},
    {"form is 2, not 0 or 1", [](panoptim_product &p) { p.form = 2; }},
    {"count is -1", [](panoptim_product &p) { p.count = -1; }},
    {"rows -1", [](panoptim_product &p) { p.rows = -1; }},
    {"columns -1", [](panoptim_product &p) { p.columns = -1; }},
    {"depth -1", [](panoptim_product &p) { p.depth = -1; }},
    {"a symmetric product has 5 rows and 6 columns", [](panoptim_product &p) { p.form = PANOPTIM_PRODUCT_SYMMETRIC; }},
    {"more than 2^63-1 elements",
     [](panoptim_product &p) { p.count = p.rows = p.columns = p.right_stride = p.output_stride = 1ll << 22; }},
    {"left_stride is 6, not at least the 7 columns", [](panoptim_product &p) { p.left_stride = 6; }},
    {"right_stride is 5, not at least the 6 columns", [](panoptim_product &p) { p.right_stride = 5; }},
    {"added_stride is 5, not at least the 6 columns", [](panoptim_product &p) { p.added_stride = 5; }},
    {"output_stride is 5, not at least the 6 columns", [](panoptim_product &p) { p.output_stride = 5; }},
    {"more than 2^63-1 bytes", [](panoptim_product &p) { p.left_stride = 1ll << 61; }}};

const std::vector<refused_product> of_the_memory = {
    {"sharing is 2, not 0 or 1", [](panoptim_product &p) { p.sharing = PANOPTIM_OPEN; }},
    {"output is NULL", [](panoptim_product &p) { p.output = nullptr; }},
    {"left is NULL", [](panoptim_product &p) { p.left = nullptr; }},
    {"right is NULL", [](panoptim_product &p) { p.right = nullptr; }},
    {"added is NULL", [](panoptim_product &p) { p.added = nullptr; }},
    {"left[0] is NULL",
     [](panoptim_product &p) {
       static const float *const none[] = {nullptr};
       p.left = none;
     }},
    {"workspace_bytes is", [](panoptim_product &p) { p.workspace_bytes--; }},
    {"workspace is", [](panoptim_product &p) { p.workspace = nullptr; }},
    {"multiple of 64", [](panoptim_product &p) { p.workspace = static_cast<char *>(p.workspace) + 4; }}};

class refusal {
 public:
  refusal() : random_(shape(), 1), product_(random_.product(PANOPTIM_TIER_BASELINE, 2)) {
    CHECK(panoptim_multiply_workspace(&product_) == PANOPTIM_OK, "%s", product_.error);
    workspace_ = std::make_unique<guarded_memory>(static_cast<size_t>(product_.workspace_bytes), false);
    product_.workspace = workspace_->start();
    product_.sharing = PANOPTIM_ANNOUNCED;
    std::copy_n(product_.output[0], size, before_);
  }

  void check(const refused_product &each, int32_t status) const {
    CHECK(status == each.status, "status %d for '%s'", status, each.reason);
    CHECK(std::strstr(product_.error, each.reason), "'%s' lacks '%s'", product_.error, each.reason);
  }

  void check_unchanged() const {
    CHECK(product_.sharing == PANOPTIM_CLOSED, "%d", product_.sharing);
    CHECK(std::memcmp(before_, outputs(), sizeof before_) == 0, "%s", product_.error);
  }

  panoptim_product &product() {
    return product_;
  }

 private:
  static constexpr size_t size = 30;

  static product_shape shape() {
    product_shape shape{5, 6, 7};
    shape.beta = 1;
    return shape;
  }

  const float *outputs() const {
    return output_;
  }

  random_product random_;
  panoptim_product product_;
  const float *output_ = product_.output[0];
  std::unique_ptr<guarded_memory> workspace_;
  float before_[size];
};

}  // namespace

TEST(invalid_shapes_are_refused) {
  for (const refused_product &each : of_the_shape) {
    refusal r;
    each.change(r.product());
    r.check(each, panoptim_multiply_workspace(&r.product()));
    r.product().error[0] = 0;
    r.check(each, panoptim_multiply(&r.product()));
    r.check_unchanged();
  }
}

TEST(invalid_memory_is_refused) {
  for (const refused_product &each : of_the_memory) {
    refusal r;
    each.change(r.product());
    r.check(each, panoptim_multiply(&r.product()));
    r.check_unchanged();
  }
}

TEST(null_is_refused) {
  CHECK(panoptim_multiply(nullptr) == PANOPTIM_INVALID_ARGUMENT, "accepted");
  CHECK(panoptim_multiply_workspace(nullptr) == PANOPTIM_INVALID_ARGUMENT, "accepted");
}

TEST(a_valid_product_is_accepted) {
  refusal r;
  CHECK(panoptim_multiply(&r.product()) == PANOPTIM_OK, "%s", r.product().error);
}
