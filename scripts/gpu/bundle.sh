#!/bin/sh
# Makes a directory with all that the tests of a GPU need on a machine without a JDK, Maven and network. A GPU is not
# needed here; nvcc, and what the build with Maven needs, are.
#
#   bundle.sh DIRECTORY [ARCHITECTURES]
#
# ARCHITECTURES are the GPUs that get machine code, in CMake's words; the default is 90-real (H100, H200).
#
#   bin/              cuda_test, cuda_runtime_test, panoptim_cuda_bench; they find their libraries in ../lib
#   lib/              libpanoptim_cuda.so, and libpanoptim_cuda_emulated.so for a test of the bundle without a GPU
#   java/run.sh       runs the Java tests with the tag "gpu"; its first lines describe how
#   java/jre.tar.xz   a Java run-time image with the modules that these tests need
#   java/java/        class files and options of the modules, where the build has them
#   java/jars/        libraries of the tests
#   version           the commit
set -eu
# The bundle travels beside a working tree, through transports that end at 64 MiB.
most_bytes=$((45 << 20))

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ -z "$1" ]; then
  echo "usage: bundle.sh DIRECTORY [ARCHITECTURES]" >&2
  exit 2
fi
architectures=${2:-90-real}
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -e "$1" ] && [ ! -e "$1/version" ] && [ -n "$(ls -A "$1")" ]; then
  echo "$1 is neither empty nor a bundle" >&2
  exit 2
fi
mkdir -p "$1"
bundle=$(cd "$1" && pwd)
rm -rf "$bundle/bin" "$bundle/lib" "$bundle/java" "$bundle/version"
mkdir "$bundle/bin" "$bundle/lib" "$bundle/java"
git -C "$root" describe --always --dirty --abbrev=12 > "$bundle/version" 2>/dev/null || echo unknown > "$bundle/version"

# A build directory of its own, which Maven uses too: the usual one keeps its architectures and its absolute paths.
build=target/cmake/gpu-bundle
cd "$root/java/panoptim"
cmake -S "$root" -B $build -DCMAKE_BUILD_TYPE=Release -DPANOPTIM_CUDA=ON \
  "-DPANOPTIM_CUDA_ARCHITECTURES=$architectures" -DCMAKE_BUILD_WITH_INSTALL_RPATH=ON \
  '-DCMAKE_INSTALL_RPATH=$ORIGIN/../lib'
cmake --build $build --parallel "$(getconf _NPROCESSORS_ONLN)" \
  --target panoptim_cuda cuda_test cuda_runtime_test panoptim_cuda_bench panoptim_cuda_emulated
for each in native/test/cuda_test native/test/cuda_runtime_test panoptim_cuda_bench; do
  cp $build/$each "$bundle/bin/"
done
cp $build/native/src/cuda/libpanoptim_cuda.so $build/native/test/libpanoptim_cuda_emulated.so "$bundle/lib/"

# bundle-java.sh, which Maven calls for each module, fills java/.
cd "$root"
mvn=mvn
command -v mvn >/dev/null 2>&1 || mvn=./mvnw
$mvn -B -q -Pgpu-bundle "-Dgpu.bundle=$bundle/java" -Dcuda=ON "-Dcuda.architectures=$architectures" \
  -Dcmake.release=$build -DskipTests -pl java/panoptim,java/safetensors,java/checkpoint process-test-classes
cp scripts/gpu/java-tests.sh "$bundle/java/run.sh"

# The image of the JDK that has compiled the tests.
jdk=$(cat "$bundle/java/jdk")
rm "$bundle/java/jdk"
image=$root/java/panoptim/target/gpu-bundle-jre
rm -rf "$image"
"$jdk/bin/jlink" --add-modules "$(sort -u "$bundle/java/jdk-modules" | paste -s -d , -)" --strip-debug --no-header-files \
  --no-man-pages --output "$image"
rm "$bundle/java/jdk-modules"
tar -C "$image" -cf - . | xz -T0 -6 > "$bundle/java/jre.tar.xz"

size() { find "$1" -type f -exec cat {} + | wc -c; }
for each in bin lib java/jre.tar.xz java/jars java/java; do
  printf '%10s  %s\n' "$(size "$bundle/$each")" $each
done
bytes=$(size "$bundle")
printf '%10s  bytes in all, of at most %s: %s\n' "$bytes" $most_bytes "$bundle"
if [ "$bytes" -gt $most_bytes ]; then
  echo "the bundle is too large" >&2
  exit 1
fi
