// A small test harness: TEST(name) { CHECK(...); }. A program runs one test by its name, or all of them.
#ifndef PANOPTIM_TEST_CHECK_H
#define PANOPTIM_TEST_CHECK_H

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

struct test_case {
  const char *name;
  void (*run)();
};

inline std::vector<test_case> &test_cases() {
  static std::vector<test_case> all;
  return all;
}

struct test_registration {
  test_registration(const char *name, void (*run)()) {
    test_cases().push_back({name, run});
  }
};

#define TEST(name)                                                      \
  static void test_##name();                                            \
  static const test_registration registered_##name(#name, test_##name); \
  static void test_##name()

// CHECK(condition, format, arguments...): ends the program with this text if the condition is false.
#define CHECK(condition, ...)                                              \
  do {                                                                     \
    if (!(condition)) {                                                    \
      std::fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      std::fprintf(stderr, __VA_ARGS__);                                   \
      std::fprintf(stderr, "\n");                                          \
      std::exit(1);                                                        \
    }                                                                      \
  } while (0)

int main(int count, char **arguments) {
  int run = 0;
  for (const test_case &each : test_cases()) {
    if (count < 2 || std::strcmp(arguments[1], each.name) == 0) {
      each.run();
      run++;
    }
  }
  CHECK(run > 0, "there is no test %s", arguments[1]);
  return 0;
}

#endif
