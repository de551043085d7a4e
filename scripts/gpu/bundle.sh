#!/bin/sh
# Makes a directory with everything that the GPU tests need on a machine without JDK, Maven and network. This script
# needs no GPU, but nvcc and the tools of the Maven build.
#
#   bundle.sh DIRECTORY [ARCHITECTURES]
#
# ARCHITECTURES are the GPUs that get machine code, in CMake's syntax; the default is 90-real (H100, H200).
#
#   bin/                cuda_test, cuda_runtime_test, panoptim_cuda_bench; they find their library in ../lib
#   lib/                libpanoptim_cuda.so, and libpanoptim_cuda_emulated.so, which tests the bundle without a GPU
#   java/run.sh         runs the Java tests with the tag "gpu"; its first lines describe how
#   java/bench.sh       measures steps that Java calls; its first lines describe how
#   java/setup.sh       is part of both
#   java/jre.tar.xz     a Java run-time image with the modules that they need
#   java/tests.tar.xz   class files, libraries, and the options of the JVM
#   panoptim-gpu-bundle the commit
set -eu
# The limit keeps a bundle quick to copy.
most_bytes=$((45 << 20))

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ -z "$1" ]; then
  echo "usage: bundle.sh DIRECTORY [ARCHITECTURES]" >&2
  exit 2
fi
architectures=${2:-90-real}
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -e "$1" ] && [ ! -e "$1/panoptim-gpu-bundle" ] && [ -n "$(ls -A "$1")" ]; then
  echo "$1 is neither empty nor a bundle" >&2
  exit 2
fi
mkdir -p "$1"
bundle=$(cd "$1" && pwd)
rm -rf "$bundle/bin" "$bundle/lib" "$bundle/java"
mkdir "$bundle/bin" "$bundle/lib" "$bundle/java"
git -C "$root" describe --always --dirty --abbrev=12 > "$bundle/panoptim-gpu-bundle" 2>/dev/null ||
  echo unknown > "$bundle/panoptim-gpu-bundle"

# Maven is given this build directory too. The usual one keeps its architectures and its absolute paths.
build=target/cmake/gpu-bundle
cd "$root/java/panoptim"
cmake -S "$root" -B $build -DCMAKE_BUILD_TYPE=Release -DPANOPTIM_CUDA=ON \
  "-DPANOPTIM_CUDA_ARCHITECTURES=$architectures" -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON \
  '-DCMAKE_INSTALL_RPATH=$ORIGIN/../lib'
cmake --build $build --parallel "$(getconf _NPROCESSORS_ONLN)" \
  --target panoptim_cuda cuda_test cuda_runtime_test panoptim_cuda_bench panoptim_cuda_emulated
cp $build/native/test/cuda_test $build/native/test/cuda_runtime_test $build/panoptim_cuda_bench "$bundle/bin/"
cp $build/native/src/cuda/libpanoptim_cuda.so $build/native/test/libpanoptim_cuda_emulated.so "$bundle/lib/"

# Maven calls bundle-java.sh for each module.
scratch=$root/java/panoptim/target/gpu-bundle
tests=$scratch/tests
image=$scratch/jre
modules=$scratch/modules
rm -rf "$scratch"
mkdir "$scratch"
cd "$root"
mvn=mvn
command -v mvn >/dev/null 2>&1 || mvn=./mvnw
$mvn -B -q -Pgpu-bundle "-Dgpu.bundle.tests=$tests" "-Dgpu.bundle.modules=$modules" -Dcuda=ON \
  "-Dcuda.architectures=$architectures" -Dcmake.release=$build -DskipTests \
  -pl java/panoptim,java/safetensors,java/checkpoint,bench process-test-classes
tar -C "$tests" -cf - . | xz -T0 > "$bundle/java/tests.tar.xz"
cp scripts/gpu/java-tests.sh "$bundle/java/run.sh"
cp scripts/gpu/java-speed.sh "$bundle/java/bench.sh"
cp scripts/gpu/java-setup.sh "$bundle/java/setup.sh"

# The JDK that has compiled the tests makes the image.
jdk=$(sed -n 's/^jdk //p' "$modules" | sort -u)
"$jdk/bin/jlink" --add-modules "$(sed -n 's/^module //p' "$modules" | sort -u | paste -s -d , -)" --strip-debug \
  --no-header-files --no-man-pages --output "$image"
tar -C "$image" -cf - . | xz -T0 > "$bundle/java/jre.tar.xz"

find "$bundle" -type f -exec wc -c {} +
bytes=$(find "$bundle" -type f -exec cat {} + | wc -c)
if [ "$bytes" -gt $most_bytes ]; then
  echo "$bundle has $bytes bytes, but may have at most $most_bytes" >&2
  exit 1
fi
