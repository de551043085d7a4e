#!/bin/sh
# Makes a module's Javadoc in target/javadoc. Any warning fails the build, except the one for the incubating Vector API,
# which no option disables. (maven-javadoc-plugin cannot read a module-info of Java 25.)
#
# Called by pom.xml for each module that sets javadoc.phase (execution "javadoc"), in the module's directory. Maven sets
# TOOLCHAIN_JAVA_HOME.
#
# A module without a module-info is read from the class path; MODULE is its package.
#
#   javadoc.sh MODULE MODULE-PATH OPTIONS     OPTIONS: one argument, which is split at blanks
set -eu
module=$1
path=$2
options=$3
sources=src/main/java
if [ -d src/generated/java ]; then sources=$sources:src/generated/java; fi
if [ -e src/main/java/module-info.java ]; then
  set -- --module-path "$path" --module-source-path "$module=$sources" --module "$module"
else
  set -- --class-path "$path" --source-path "$sources" -subpackages "$module"
fi
# It runs for seconds, too short for the optimizing compiler to pay.
# shellcheck disable=SC2086  # OPTIONS are split on purpose.
output=$("$TOOLCHAIN_JAVA_HOME/bin/javadoc" -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC -d target/javadoc $options \
  -Xdoclint:all,-missing "$@" 2>&1) || {
  printf '%s\n' "$output" >&2
  exit 1
}
! printf '%s\n' "$output" | grep -v -e '\[incubating\]' -e '^[0-9]* warnings*$' -e '^$' >&2
