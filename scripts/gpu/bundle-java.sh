#!/bin/sh
# Adds a module's GPU tests to the bundle that bundle.sh makes: class files, libraries, and the options of the JVM.
#
# Called by pom.xml, profile "gpu-bundle", in each module's directory, twice. Modules whose phase of tests for GPUs is
# "none" are left out. Maven sets TOOLCHAIN_JAVA_HOME.
#
#   bundle-java.sh modules PHASE CLASS-PATH
#       saves the class path without the tests: it is the module path when tests run
#   bundle-java.sh tests PHASE CLASS-PATH TESTS JDK-MODULES MODULE JVM-OPTIONS JUNIT-CONFIGURATION TAG
#       copies the files that the tests need to the directory TESTS, and writes jvm.args and junit.args for this module;
#       adds the JDK and the JDK modules that the tests need to the file JDK-MODULES
#   bundle-java.sh benchmark PHASE CLASS-PATH TESTS JDK-MODULES
#       copies the files that the GPU benchmark needs, and writes the options of its JVM to bench/target/jvm.args
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$(pwd)
noted=$here/target/gpu-bundle-modules
step=$1
phase=$2
class_path=$3
[ "$phase" != none ] || exit 0
if [ "$step" = modules ]; then
  printf '%s\n' "$class_path" | tr : '\n' > "$noted"
  exit
fi
all_tests=$4
jdk_modules=$5
module=${6:-}
options=${7:-}
configuration=${8:-}
tag=${9:-}
there=$all_tests/${here#"$root/"}
mkdir -p "$there" "$all_tests/jars"

# Reads directories and jars, one a line. Copies them, and prints the paths of the copies, joined by colons. The paths
# are relative to this module's copy.
add() {
  while IFS= read -r each; do
    case $each in
      "$root"/*)
        path=${each#"$root/"}
        if [ ! -e "$all_tests/$path" ]; then
          mkdir -p "$all_tests/$path"
          # The library for GPUs is in the bundle's lib directory; an option names its file.
          tar -C "$each" --exclude='libpanoptim_cuda.*' -cf - . | tar -C "$all_tests/$path" -xf -
        fi
        echo "../../$path"
        ;;
      *)
        cp "$each" "$all_tests/jars/"
        echo "../../jars/${each##*/}"
        ;;
    esac
  done | paste -s -d : -
}

# The lines of a class path that are neither modules nor this module's tests.
others() {
  printf '%s\n' "$class_path" | tr : '\n' | grep -vxF -f "$noted" | grep -vxF "$here/target/test-classes"
}

if [ "$step" = benchmark ]; then
  # The other libraries are for reports and for comparisons. Paths are relative to a directory two levels down.
  needed='/target/classes$|/(jmh-core|jopt-simple|commons-math3)-[0-9.]*\.jar$'
  path=$(printf '%s\n' "$class_path" | tr : '\n' | grep -E "$needed" | add)
  printf '%s\n' --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow "--class-path $path" \
    > "$there/target/jvm.args"
  printf 'module %s\n' java.logging java.management jdk.management jdk.unsupported >> "$jdk_modules"
  exit
fi

modules=$(add < "$noted")
tests=$(printf '%s\n' "$here/target/test-classes" | add)
libraries=$(others | add)

# The options that maven-surefire-plugin adds for the tests of a module.
{
  printf '%s\n' "$options"
  printf '%s %s\n' --module-path "$modules" --class-path "$libraries" --patch-module "$module=$tests" \
    --add-modules "$module" --add-reads "$module=ALL-UNNAMED"
  (cd target/test-classes && find . -name '*.class') | sed 's,^\./,,; s,/[^/]*$,,' | tr / . | sort -u \
    | sed "s,.*,--add-opens $module/&=ALL-UNNAMED,"
} > "$there/jvm.args"
{
  printf '%s\n' "--scan-class-path=$tests" "--include-tag=$tag"
  printf '%s\n' "$configuration" | sed -n 's/^ *\([^ =]*\) *= *\(.*[^ ]\) *$/--config=\1=\2/p'
} > "$there/junit.args"

cd "$there"
IFS=:
# jdeps warns of each package of the library that has tests, and then prints the modules that class files use.
# shellcheck disable=SC2086 # the paths are separated by colons
used=$("$TOOLCHAIN_JAVA_HOME/bin/jdeps" --multi-release 25 --ignore-missing-deps --print-module-deps \
  $modules $libraries "$tests")
named=$(printf '%s\n' "$options" | sed -n 's/.*--add-modules[ =]\([^ ]*\).*/\1/p')
{
  echo "jdk $TOOLCHAIN_JAVA_HOME"
  printf '%s\n' "$used" | tail -n 1 | tr , '\n' | sed 's/^/module /'
  printf '%s\n' "$named" | tr , '\n' | sed 's/^/module /'
} >> "$jdk_modules"
