#!/bin/sh
# Checks for the tools that the build needs and Maven does not download: JDK 25, CMake 3.18, make, a C++17 compiler,
# Maven 3.8. One message names all missing tools and the commands that install them on Debian, Fedora and macOS.
#
# Called by pom.xml at the start of each build (execution "prerequisites").
#
#   check-prerequisites.sh MAVEN-VERSION MAVEN-JAVA-HOME TOOLCHAINS-FILE
set -eu
maven_version=$1
maven_java_home=$2
toolchains=$3

# Whether the version $1 is $2.$3 or newer.
is_at_least() {
  major=${1%%[!0-9]*}
  rest=${1#*.}
  minor=${rest%%[!0-9]*}
  [ "${major:-0}" -gt "$2" ] || { [ "${major:-0}" -eq "$2" ] && [ "${minor:-0}" -ge "$3" ]; }
}

# Whether the directory $1 holds a JDK 25 or newer.
is_jdk_25() {
  [ -x "$1/bin/javac" ] || return 1
  version=
  if [ -r "$1/release" ]; then version=$(sed -n 's/^JAVA_VERSION="\(.*\)"$/\1/p' "$1/release"); fi
  if [ -z "$version" ]; then version=$("$1/bin/javac" -version 2>&1 | sed -n 's/^javac //p'); fi
  is_at_least "${version:-0}" 25 0
}

# Searches the same places as maven-toolchains-plugin: the JDK that runs Maven, JAVA_HOME and the like, toolchains.xml,
# and the directories of systems and version managers.
has_jdk_25() {
  is_jdk_25 "$maven_java_home" && return
  homes=$(
    env | sed -n 's/^J[A-Z0-9_]*_HOME=//p'
    if [ -r "$toolchains" ]; then
      awk -v RS='<' 'sub(/^jdkHome>[ \t\r\n]*/, "") { sub(/[ \t\r\n]*$/, ""); print }' "$toolchains"
    fi
  )
  while IFS= read -r home; do
    case $home in
      '') continue ;;
      *'${'*) return 0 ;; # Only Maven can resolve the variable.
    esac
    is_jdk_25 "$home" && return
  done << END
$homes
END
  for folder in "${HOME:-}/.jdks" "${HOME:-}/.m2/jdks" "${HOME:-}/.sdkman/candidates/java" "${HOME:-}/.gradle/jdks" \
    "${HOME:-}/.jenv/versions" "${HOME:-}/.jbang/cache/jdks" "${HOME:-}/.asdf/installs/java" "${HOME:-}/.jabba/jdk" \
    "${HOME:-}/Library/Java/JavaVirtualMachines" /Library/Java/JavaVirtualMachines /usr/jdk /usr/java /opt/java \
    /usr/lib/jvm; do
    for home in "$folder"/* "$folder"/*/Contents/Home; do
      is_jdk_25 "$home" && return
    done
  done
  return 1
}

has_cmake() {
  version=$(cmake --version 2> /dev/null | sed -n '1s/[^0-9]*//p')
  is_at_least "${version:-0}" 3 18
}

# CMAKE_GENERATOR may choose a generator that does not need make.
has_make() {
  [ -n "${CMAKE_GENERATOR:-}" ] || command -v make || command -v gmake
}

has_compiler() {
  compiler=${CXX:-}
  for name in c++ g++ clang++; do
    if [ -z "$compiler" ] && command -v $name; then compiler=$name; fi
  done
  # Unquoted: CXX may be a command with arguments.
  [ -n "$compiler" ] && printf '#include <optional>\nstd::optional<int> x;\n' | $compiler -std=c++17 -x c++ -fsyntax-only -
}

if ! is_at_least "$maven_version" 3 8; then
  echo "Maven 3.8 or newer is missing (this is $maven_version): run ./mvnw instead of mvn, on Debian, Fedora and macOS" \
    "alike, which downloads Maven." >&2
  exit 1
fi

names=
count=0
debian=
fedora=
brew=
xcode=
hints=

# Adds a missing tool: $1 name, then packages: $2 Debian's, $3 Fedora's, $4 Homebrew's, or "xcode".
missing() {
  count=$((count + 1))
  names="$names${names:+, }$1"
  debian="$debian $2"
  fedora="$fedora $3"
  if [ "$4" = xcode ]; then xcode='xcode-select --install'; else brew="$brew${brew:+ && }brew install $4"; fi
}

has_jdk_25 || {
  missing 'JDK 25 or newer' openjdk-25-jdk java-25-openjdk-devel '--cask temurin@25'
  hints=" (a distribution without JDK 25 gets it from https://adoptium.net, and JAVA25_HOME may name the JDK's directory)"
}
has_cmake || missing 'CMake 3.18 or newer' cmake cmake cmake
has_make > /dev/null || missing make make make xcode
has_compiler > /dev/null 2>&1 || {
  missing 'a C++17 compiler' g++ gcc-c++ xcode
  hints="$hints${CXX:+ (the environment variable CXX is '$CXX')}"
}
[ $count -gt 0 ] || exit 0
if [ $count = 1 ]; then verb=is them=it; else verb=are them=them; fi
names=$(echo "$names" | sed 's/\(.*\), /\1 and /')
echo "To build Panoptim, $names $verb missing: install $them with 'sudo apt install$debian' on Debian," \
  "'sudo dnf install$fedora' on Fedora, or '$brew${brew:+${xcode:+ && }}$xcode' on macOS$hints." >&2
exit 1
