#!/bin/sh
# Lists the declarations of a C header, one a line:
#
#   constant NAME        a macro whose value is an integer
#   struct NAME          with its members:
#   member STRUCT NAME
#   function NAME        one that is exported
#
#   header-names.sh HEADER     for example: native/include/panoptim.h
#
# The bindings and the test of their layout follow from this list, so a new constant or member is added only to the
# header.
set -eu
awk '
{ sub(/ *\/\/.*/, "") }
/^#define PANOPTIM_[A-Z0-9_]+ +-?[0-9]+ *$/ { print "constant", $2 }
/^typedef struct [a-z_]+ \{$/ {
  struct = $3
  print "struct", struct
}
/^\} [a-z_]+;$/ { struct = "" }
struct != "" && /^  .*;$/ {
  sub(/(\[[A-Z0-9_]+\])*;$/, "")
  sub(/.*[ *]/, "")
  print "member", struct, $0
}
/^PANOPTIM_API / {
  sub(/\(.*/, "")
  sub(/.*[ *]/, "")
  print "function", $0
}' "$1"
