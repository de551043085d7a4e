# Sets up Java for java-tests.sh and java-speed.sh, which read this file: in a bundle, java/setup.sh. It needs tar, and xz
# or python3; neither a JDK nor Maven.
#
# The caller sets `java_folder`, the directory of the bundle that has the archives. Afterwards, `unpacked` is a directory
# that is removed at exit, with the directory `tests`; `java` is the program to run; and `library` is the library for
# GPUs. PANOPTIM_GPU and PANOPTIM_JAVA choose the last two, see the callers.
lib=$(cd "$java_folder/../lib" && pwd)

case ${PANOPTIM_GPU:-hardware} in
  hardware) library=$lib/libpanoptim_cuda.so ;;
  emulated)
    library=$lib/libpanoptim_cuda_emulated.so
    # As in the build with Maven.
    export PANOPTIM_EMULATED_DEVICES="${PANOPTIM_EMULATED_DEVICES:-2}"
    export PANOPTIM_EMULATED_PACKED="${PANOPTIM_EMULATED_PACKED:-1}"
    ;;
  *)
    echo "PANOPTIM_GPU is '$PANOPTIM_GPU', but must be hardware or emulated" >&2
    exit 2
    ;;
esac

unpacked=$(mktemp -d) || exit 2
trap 'rm -rf "$unpacked"' EXIT
# A signal ends Java too, if it comes from timeout or from a terminal. The results until then are kept.
stopped=
trap 'stopped=1' HUP INT TERM

# Unpacks the archive $1 into the new directory $2.
unpack() {
  mkdir "$2" || exit 2
  if command -v xz >/dev/null 2>&1; then
    xz -dc "$1"
  else
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.argv[1]), sys.stdout.buffer)' "$1"
  fi | tar -C "$2" -xf - || exit 2
}

unpack "$java_folder/tests.tar.xz" "$unpacked/tests"
java=${PANOPTIM_JAVA:-}
if [ -z "$java" ]; then
  unpack "$java_folder/jre.tar.xz" "$unpacked/jre"
  java=$unpacked/jre/bin/java
fi
