#!/bin/sh
# Measures steps on a GPU that Java calls, from a bundle that bundle.sh has made, of which this file is java/bench.sh. It
# needs tar, and xz or python3; neither a JDK nor Maven.
#
#   bench.sh [--most ELEMENTS] [--rounds N]
#
# Prints rows for the table of a run. Cases with more elements are measured with that many. Each case is measured N
# times, 7 by default. The exit status is 0 if all cases have been measured.
#
# PANOPTIM_GPU=emulated measures the emulated GPU, to test the bundle on a machine without one.
# PANOPTIM_JAVA names another java (25 or newer) than the bundle's.
set -u
java_folder=$(cd "$(dirname "$0")" && pwd)
. "$java_folder/setup.sh"
# Class files are found by relative paths.
cd "$unpacked/tests/bench/target" || exit 2
"$java" @jvm.args "-Dpanoptim.cuda.library=$library" dev.panoptim.bench.GpuMain "$@"
