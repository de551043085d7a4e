#!/bin/sh
# Builds the C++ code that the benchmarks compare the library with. It needs neither CUDA nor OpenMP.
#
# Called by bench/pom.xml (execution "native-library"), in that module's directory.
#
#   bench-build.sh BUILD-DIRECTORY
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cmake -S "$root" -B "$1" -DCMAKE_BUILD_TYPE=Release -DPANOPTIM_CUDA=OFF -DPANOPTIM_OPENMP=OFF
cmake --build "$1" --target panoptim_bench --parallel "$(getconf _NPROCESSORS_ONLN)"
