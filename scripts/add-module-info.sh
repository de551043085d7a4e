#!/bin/sh
# Adds target/classes/module-info.class to a module's jar, with the jar tool of JDK 25: maven-jar-plugin would use the
# one of the JDK that runs Maven, which fails if it is older.
#
# Called by pom.xml for each module (execution "add-module-info"), in the module's directory. Maven sets
# TOOLCHAIN_JAVA_HOME.
#
#   add-module-info.sh JAR DATE
set -eu
jar=$1
date=$2
[ -e target/classes/module-info.class ] || exit 0
# The marker is newer than the jar if this script has already updated the jar.
[ ! target/modular -nt "$jar" ] || exit 0
"$TOOLCHAIN_JAVA_HOME/bin/jar" --update --file "$jar" --date "$date" -C target/classes module-info.class
touch target/modular
