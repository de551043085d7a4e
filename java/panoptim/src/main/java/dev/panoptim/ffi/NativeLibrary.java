package dev.panoptim.ffi;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Finds and loads the native library, once, when this class is first used.
///
/// The places, in this order:
/// 1. the file that the system property `panoptim.library` names; whoever names one wants that one,
///    so no other place is tried then;
/// 2. the library that is packaged with these classes for this system, extracted as [Extraction]
///    says;
/// 3. the directories of `java.library.path`.
public final class NativeLibrary {
  private static final String FILE_PROPERTY = "panoptim.library";
  private static final String NAME = "panoptim";

  private static final List<String> ATTEMPTS = new ArrayList<>();
  private static final String ORIGIN = find();

  private NativeLibrary() {}

  /// Whether the functions of [PanoptimAbi] can be called.
  public static boolean isLoaded() {
    return ORIGIN != null;
  }

  /// Where the library came from, in words.
  public static String origin() {
    return ORIGIN;
  }

  /// Each attempt that failed, with the dynamic linker's own words where it was asked.
  public static List<String> failedAttempts() {
    return List.copyOf(ATTEMPTS);
  }

  private static String find() {
    String named = System.getProperty(FILE_PROPERTY);
    if (named != null) {
      String place = "the system property " + FILE_PROPERTY;
      try {
        return load(place, Path.of(named)) ? place + ", " + named : null;
      } catch (InvalidPathException e) {
        ATTEMPTS.add(place + ": " + e.getMessage());
        return null;
      }
    }
    String packaged = loadPackaged();
    return packaged != null ? packaged : loadFromPath();
  }

  private static String loadPackaged() {
    String resource = platform() + "/" + System.mapLibraryName(NAME);
    String place = "the packaged " + resource;
    try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
      if (content == null) {
        ATTEMPTS.add(place + ": not packaged, this build is for other systems");
        return null;
      }
      Path file = Extraction.extract(content.readAllBytes(), System.mapLibraryName(NAME));
      return load(place, file) ? place + ", extracted to " + file : null;
    } catch (IOException | RuntimeException e) {
      ATTEMPTS.add(place + ": " + e);
      return null;
    }
  }

  private static String loadFromPath() {
    String directories = System.getProperty("java.library.path", "");
    String file = System.mapLibraryName(NAME);
    boolean found = false;
    for (String directory : directories.split(File.pathSeparator)) {
      Path candidate;
      try {
        candidate = Path.of(directory, file);
      } catch (InvalidPathException e) {
        continue;
      }
      if (!directory.isEmpty() && Files.exists(candidate)) {
        found = true;
        if (load("java.library.path", candidate)) {
          return "java.library.path, " + candidate;
        }
      }
    }
    if (!found) {
      ATTEMPTS.add("java.library.path: no " + file + " in " + directories);
    }
    return null;
  }

  /// Loads a file for good, unless it cannot be linked or speaks another version of the ABI.
  private static boolean load(String place, Path file) {
    String attempt = place + ", " + file + ": ";
    try {
      Integer version = abiVersion(file);
      if (version != null && version != PanoptimAbi.PANOPTIM_ABI_VERSION()) {
        ATTEMPTS.add(
            attempt
                + "it has ABI version %d, but these classes need %d"
                    .formatted(version, PanoptimAbi.PANOPTIM_ABI_VERSION()));
        return false;
      }
      System.load(file.toAbsolutePath().toString());
      return true;
    } catch (UnsatisfiedLinkError e) {
      ATTEMPTS.add(attempt + e.getMessage());
    } catch (IllegalCallerException e) {
      ATTEMPTS.add(
          attempt
              + "native access is not enabled, start Java with --enable-native-access="
              + (NativeLibrary.class.getModule().isNamed() ? "dev.panoptim" : "ALL-UNNAMED")
              + " ("
              + e.getMessage()
              + ")");
    }
    return false;
  }

  /// The version that a file says it has, asked before it is loaded for good: its functions would
  /// stay in the way of those of the next file. `null` where the file cannot be opened; loading it
  /// then says why.
  ///
  /// @throws UnsatisfiedLinkError if the file is some other library
  private static Integer abiVersion(Path file) {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup symbols;
      try {
        symbols = SymbolLookup.libraryLookup(file.toAbsolutePath(), arena);
      } catch (IllegalArgumentException cannotBeOpened) {
        return null;
      }
      MemorySegment function =
          symbols
              .find("panoptim_abi_version")
              .orElseThrow(
                  () -> new UnsatisfiedLinkError("it has no function panoptim_abi_version"));
      return (int)
          Linker.nativeLinker()
              .downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT))
              .invokeExact();
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  /// `<os>-<arch>`, as the build names the directory of the packaged library.
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os)
        + "-"
        + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
