// Lists what the machine code of each composition must contain, for vectorised.sh and ptx.sh. A line for each legal
// composition: its number, its states, 1 if it divides, 1 if it takes a root, its words.
#include "problem.h"

int main() {
  for (const composition &rule : legal_compositions()) {
    const bool divides = rule.second_moment != PANOPTIM_SECOND_MOMENT_NONE;
    const bool roots = divides && rule.second_moment != PANOPTIM_SECOND_MOMENT_INFINITY &&
                       rule.second_moment != PANOPTIM_SECOND_MOMENT_CURVATURE;
    std::printf("%d %d %d %d %s\n", index_of(rule), states_of(rule), divides, roots, words(rule).c_str());
  }
  return 0;
}
