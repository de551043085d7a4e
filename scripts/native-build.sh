#!/bin/sh
# Builds the native libraries with CMake and installs them in Java's resources.
#
# Called by java/panoptim/pom.xml (execution "native-library"), in that module's directory.
#
#   native-build.sh BUILD-DIRECTORY RESOURCE-DIRECTORY [CMAKE-ARGUMENT...]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$1
resources=$2
shift 2
cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release "$@"
cmake --build "$build" --target libraries --parallel "$(getconf _NPROCESSORS_ONLN)"
cmake --install "$build" --component resource --prefix "$resources"
