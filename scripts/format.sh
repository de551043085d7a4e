#!/bin/sh
# Checks or corrects the format of Java sources with google-java-format, and checks the line ends of Markdown, XML,
# scripts and CMake files. Only files changed since the last successful run are examined. (Spotless would parse Java 25
# with the compiler of the JDK that runs Maven.)
#
# Called by pom.xml once a build, in the project's directory: execution "format" checks in phase "verify", and corrects
# with -Pformat. Maven sets TOOLCHAIN_JAVA_HOME.
#
#   format.sh check|correct GOOGLE-JAVA-FORMAT-JAR EXCLUDED
#
# EXCLUDED: generated files, as a pattern for "find -path".
set -eu
case $1 in
  check) options='--dry-run --set-exit-if-changed' ;;
  correct) options=--replace ;;
  *) echo "format.sh: '$1' is neither check nor correct" >&2; exit 2 ;;
esac
formatter=$2
excluded=$3
state=target/format
mkdir -p $state
touch $state/now
# The pom names the formatter's version: after it changes, all files are examined.
if [ ! $state/done -nt pom.xml ]; then touch -t 200001010000 $state/done; fi
find . -name target -prune -o -name '.[!.]*' -prune -o -type f -newer $state/done ! -path "$excluded" -print \
  > $state/changed
if grep '\.java$' $state/changed > $state/java; then
  # It runs for seconds, too short for the optimizing compiler to pay.
  "$TOOLCHAIN_JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$formatter" $options @$state/java || {
    echo "Not in google-java-format, as listed: run mvn -Pformat." >&2
    exit 1
  }
fi
grep -E '\.(md|xml|sh|cmake)$|/CMakeLists\.txt$' $state/changed > $state/text || :
while IFS= read -r file; do
  if grep -Hn '[[:blank:]]$' "$file"; then
    echo "$file: blanks at line ends." >&2
    exit 1
  fi
  if [ -n "$(tail -c 1 "$file")" ]; then
    echo "$file: no newline at its end." >&2
    exit 1
  fi
done < $state/text
mv $state/now $state/done
