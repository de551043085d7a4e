// Divides a loop among newly started threads: a pool's threads would still spin during the next measurement.
#ifndef PANOPTIM_BENCH_SHARES_H
#define PANOPTIM_BENCH_SHARES_H

#include <thread>
#include <vector>

// Calls work(share, begin, end) for each thread's share of `length` elements.
template <class Work>
void in_shares(long long length, int threads, Work work) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; i++) {
    others.emplace_back([=] { work(i, length * i / threads, length * (i + 1) / threads); });
  }
  work(0, 0, length / threads);
  for (std::thread &each : others) each.join();
}

#endif
