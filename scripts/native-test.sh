#!/bin/sh
# Builds all C++ tests of a build directory and runs them.
#
# Called by java/panoptim/pom.xml: execution "native-tests" tests the release build that native-build.sh has configured;
# with -Pexhaustive, execution "native-tests-sanitized" tests a build with AddressSanitizer and
# UndefinedBehaviorSanitizer, for which it gives the arguments of CMake.
#
#   native-test.sh BUILD-DIRECTORY [CMAKE-ARGUMENT...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$1
shift
processors=$(getconf _NPROCESSORS_ONLN)
if [ $# -gt 0 ]; then cmake -S "$root" -B "$build" "$@"; fi
cmake --build "$build" --parallel "$processors"
cd "$build"
ctest --output-on-failure --parallel "$processors"
