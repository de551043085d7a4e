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

/// A native library, found and loaded once, when it is first asked for.
///
/// The places, in this order:
/// 1. the file that a system property names; whoever names one wants that one, so no other place is
///    tried then;
/// 2. the library that is packaged with these classes for this system, extracted as [Extraction]
///    says;
/// 3. the directories of `java.library.path`.
public final class NativeLibrary {
  private static final class Processor {
    static final NativeLibrary LIBRARY = new NativeLibrary("panoptim", "panoptim.library");
  }

  private static final class Cuda {
    static final NativeLibrary LIBRARY =
        new NativeLibrary("panoptim_cuda", "panoptim.cuda.library");
  }

  private final String name;
  private final String fileProperty;
  private final List<String> attempts = new ArrayList<>();
  private final String origin;

  private NativeLibrary(String name, String fileProperty) {
    this.name = name;
    this.fileProperty = fileProperty;
    origin = find();
  }

  /// The library for processors; `panoptim.library` may name its file.
  public static NativeLibrary ofProcessor() {
    return Processor.LIBRARY;
  }

  /// The library for graphics cards; `panoptim.cuda.library` may name its file.
  public static NativeLibrary ofCuda() {
    return Cuda.LIBRARY;
  }

  /// Whether those functions of [PanoptimAbi] can be called that are in this library.
  public boolean isLoaded() {
    return origin != null;
  }

  /// Where the library came from, in words.
  public String origin() {
    return origin;
  }

  /// Each attempt that failed, with the dynamic linker's own words where it was asked.
  public List<String> failedAttempts() {
    return List.copyOf(attempts);
  }

  private String find() {
    String named = System.getProperty(fileProperty);
    if (named != null) {
      String place = "the system property " + fileProperty;
      try {
        return load(place, Path.of(named)) ? place + ", " + named : null;
      } catch (InvalidPathException e) {
        attempts.add(place + ": " + e.getMessage());
        return null;
      }
    }
    String packaged = loadPackaged();
    return packaged != null ? packaged : loadFromPath();
  }

  private String loadPackaged() {
    String resource = platform() + "/" + System.mapLibraryName(name);
    String place = "the packaged " + resource;
    try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
      if (content == null) {
        attempts.add(place + ": not packaged, " + whyNotPackaged());
        return null;
      }
      Path file = Extraction.extract(content.readAllBytes(), System.mapLibraryName(name));
      return load(place, file) ? place + ", extracted to " + file : null;
    } catch (IOException | RuntimeException e) {
      attempts.add(place + ": " + e);
      return null;
    }
  }

  private String whyNotPackaged() {
    return name.endsWith("_cuda")
        ? "this build is for other systems, or was made without nvcc"
        : "this build is for other systems";
  }

  private String loadFromPath() {
    String directories = System.getProperty("java.library.path", "");
    String file = System.mapLibraryName(name);
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
      attempts.add("java.library.path: no " + file + " in " + directories);
    }
    return null;
  }

  /// Loads a file for good, unless it cannot be linked or speaks another version of the ABI.
  private boolean load(String place, Path file) {
    String attempt = place + ", " + file + ": ";
    try {
      Integer version = abiVersion(file);
      if (version != null && version != PanoptimAbi.PANOPTIM_ABI_VERSION()) {
        attempts.add(
            attempt
                + "it has ABI version %d, but these classes need %d"
                    .formatted(version, PanoptimAbi.PANOPTIM_ABI_VERSION()));
        return false;
      }
      System.load(file.toAbsolutePath().toString());
      return true;
    } catch (UnsatisfiedLinkError e) {
      attempts.add(attempt + e.getMessage());
    } catch (IllegalCallerException e) {
      attempts.add(
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
  private Integer abiVersion(Path file) {
    String asked = name + "_abi_version";
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup symbols;
      try {
        symbols = SymbolLookup.libraryLookup(file.toAbsolutePath(), arena);
      } catch (IllegalArgumentException cannotBeOpened) {
        return null;
      }
      MemorySegment function =
          symbols
              .find(asked)
              .orElseThrow(() -> new UnsatisfiedLinkError("it has no function " + asked));
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
