// Each element of a matrix product has the bits of its chain, on every tier and with every number of threads.
#include <atomic>
#include <thread>

#include "check.h"
#include "matrices.h"

namespace {

// All threads but the first are helpers, from before the first product until after the last.
void run(panoptim_product &product, int helpers, int times = 1) {
  CHECK(panoptim_multiply_workspace(&product) == PANOPTIM_OK, "%s", product.error);
  const guarded_memory workspace(static_cast<size_t>(product.workspace_bytes), false);
  product.workspace = workspace.start();
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < helpers; i++) {
    threads.emplace_back([&] {
      for (; !done; std::this_thread::yield()) panoptim_help_multiply(&product);
    });
  }
  for (int i = 0; i < times; i++) {
    __atomic_store_n(&product.sharing, helpers > 0 ? PANOPTIM_ANNOUNCED : PANOPTIM_CLOSED, __ATOMIC_SEQ_CST);
    const int32_t status = panoptim_multiply(&product);
    CHECK(status == PANOPTIM_OK, "status %d: %s", status, product.error);
    CHECK(product.sharing == PANOPTIM_CLOSED, "sharing is %d", product.sharing);
  }
  done = true;
  for (std::thread &each : threads) each.join();
  CHECK(product.helping == 0, "%d", product.helping);
}

void check_chains(const product_shape &shape, uint64_t seed, int threads = 1, int helpers = 0) {
  random_product random(shape, seed);
  for (int tier : available_tiers()) {
    random.reset_output();
    panoptim_product product = random.product(tier, threads);
    run(product, helpers);
    const size_t differences = random.differences();
    CHECK(differences == 0, "%zu elements: tier %d, %d threads, %d helpers, seed %llu, %s", differences, tier, threads,
          helpers, static_cast<unsigned long long>(seed), words(shape).c_str());
  }
}

// Around the edges of the tiles of all tiers, of a depth step and of the smallest blocks.
const int row_sizes[] = {0, 1, 3, 4, 5, 11, 12, 13, 25};
const int column_sizes[] = {0, 1, 15, 16, 17, 23, 24, 25, 31, 32, 33, 49, 97};
const int depths[] = {0, 1, 2, 5, 255, 256, 257, 513};

}  // namespace

TEST(elements_are_chains_for_sizes_around_all_edges) {
  uint64_t seed = 1;
  for (int rows : row_sizes) {
    for (int columns : column_sizes) {
      for (int depth : depths) check_chains({rows, columns, depth}, seed++);
    }
  }
}

TEST(symmetric_products_are_chains_for_sizes_around_all_edges) {
  uint64_t seed = 10000;
  for (int size : column_sizes) {
    for (int depth : depths) check_chains({size, size, depth, PANOPTIM_PRODUCT_SYMMETRIC}, seed++);
  }
}

TEST(elements_are_chains_across_blocks) {
  check_chains({257, 130, 300}, 20000);
  check_chains({13, 1057, 260}, 20001);
  check_chains({530, 33, 20}, 20002);
  check_chains({300, 300, 270, PANOPTIM_PRODUCT_SYMMETRIC}, 20003);
  check_chains({1100, 1100, 3, PANOPTIM_PRODUCT_SYMMETRIC}, 20004);
}

TEST(padding_between_rows_is_neither_read_nor_written) {
  uint64_t seed = 30000;
  for (int32_t form : {PANOPTIM_PRODUCT_GENERAL, PANOPTIM_PRODUCT_SYMMETRIC}) {
    for (int padding : {1, 7, 16}) {
      for (bool at_start : {false, true}) {
        product_shape shape{37, 37, 261, form};
        shape.padding = padding;
        shape.at_start = at_start;
        shape.beta = 0.5f;
        check_chains(shape, seed++);
      }
    }
  }
}

TEST(factors_and_the_added_matrix_follow_the_formula) {
  uint64_t seed = 40000;
  const float inf = std::numeric_limits<float>::infinity();
  const float factors[][2] = {{1, 0}, {-2.5f, 0}, {0.3f, 1}, {-1, -0.7f}, {0, 2}, {inf, 0}, {1, inf}, {0, 0}};
  for (int32_t form : {PANOPTIM_PRODUCT_GENERAL, PANOPTIM_PRODUCT_SYMMETRIC}) {
    for (const auto &factor : factors) {
      for (bool in_place : {false, true}) {
        product_shape shape{29, 29, 300, form};
        shape.alpha = factor[0];
        shape.beta = factor[1];
        shape.in_place = in_place;
        shape.padding = 3;
        check_chains(shape, seed++);
      }
    }
  }
}

TEST(infinities_nans_denormals_and_huge_numbers_are_those_of_the_chain) {
  uint64_t seed = 50000;
  for (int32_t form : {PANOPTIM_PRODUCT_GENERAL, PANOPTIM_PRODUCT_SYMMETRIC}) {
    for (int specials : {3, 30, 1000}) {
      for (int depth : {1, 2, 40, 300}) {
        product_shape shape{40, 40, depth, form};
        shape.specials = specials;
        shape.beta = 1;
        check_chains(shape, seed++);
      }
    }
  }
}

TEST(several_matrices_are_multiplied_in_one_call) {
  uint64_t seed = 60000;
  for (int32_t form : {PANOPTIM_PRODUCT_GENERAL, PANOPTIM_PRODUCT_SYMMETRIC}) {
    for (int count : {0, 2, 5}) {
      product_shape shape{50, 50, 70, form, count};
      check_chains(shape, seed++);
    }
  }
}

TEST(every_number_of_threads_reaches_the_same_bits) {
  uint64_t seed = 70000;
  for (int32_t form : {PANOPTIM_PRODUCT_GENERAL, PANOPTIM_PRODUCT_SYMMETRIC}) {
    for (int threads : {1, 2, 3, 8}) {
      product_shape shape{210, 210, 300, form, 2};
      shape.beta = 0.25f;
      // More and fewer helpers than the workspace has room for.
      check_chains(shape, seed++, threads, threads - 1);
      check_chains(shape, seed++, threads, 1);
      check_chains(shape, seed++, threads, 3);
    }
  }
}

TEST(helpers_may_join_many_products) {
  random_product random({100, 100, 20}, 80000);
  panoptim_product product = random.product(available_tiers().back(), 3);
  run(product, 2, 2000);
  CHECK(random.differences() == 0, "%zu", random.differences());
}

TEST(a_late_helper_returns_at_once) {
  random_product random({10, 10, 10}, 80001);
  panoptim_product product = random.product(PANOPTIM_TIER_BASELINE, 2);
  panoptim_help_multiply(&product);
  run(product, 0);
  panoptim_help_multiply(&product);
  CHECK(random.differences() == 0 && product.joined == 1, "%d", product.joined);
}
