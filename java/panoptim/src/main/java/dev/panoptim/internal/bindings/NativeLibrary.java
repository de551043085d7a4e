package dev.panoptim.internal.bindings;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A native library, which is searched for and loaded at its first use, once per class loader.
///
/// The places, in the order of the search:
/// - the file that a system property names; if the property is set, no other place is searched
/// - the library that is packaged for this system, extracted by [Extraction]
/// - the directories of `java.library.path`
///
/// Thread-safe.
public final class NativeLibrary {
  private static final class Processor {
    /// The library is closed when its classes are no longer reachable.
    static final NativeLibrary LIBRARY =
        new NativeLibrary("panoptim", "panoptim.library", Arena.ofAuto());
  }

  private static final class Cuda {
    /// The library is never closed, because CUDA's own library keeps addresses in it.
    static final NativeLibrary LIBRARY =
        new NativeLibrary("panoptim_cuda", "panoptim.cuda.library", Arena.global());
  }

  private static final class OpenMp {
    /// The library is never closed, because threads of the OpenMP runtime may outlive its classes.
    static final NativeLibrary LIBRARY =
        new NativeLibrary("panoptim_openmp", "panoptim.openmp.library", Arena.global());
  }

  private final String name;
  private final String fileProperty;
  private final Arena lifetime;
  private final List<String> attempts = new ArrayList<>();

  /// The library's functions; empty if the library could not be loaded.
  private SymbolLookup functions = function -> Optional.empty();

  private final String origin;

  private NativeLibrary(String name, String fileProperty, Arena lifetime) {
    this.name = name;
    this.fileProperty = fileProperty;
    this.lifetime = lifetime;
    origin = find();
  }

  /// The library for the CPU. The system property `panoptim.library` overrides its file.
  public static NativeLibrary ofProcessor() {
    return Processor.LIBRARY;
  }

  /// The library for GPUs. The system property `panoptim.cuda.library` overrides its file.
  public static NativeLibrary ofCuda() {
    return Cuda.LIBRARY;
  }

  /// The library for OpenMP threads. The system property `panoptim.openmp.library` overrides its
  /// file.
  public static NativeLibrary ofOpenMp() {
    return OpenMp.LIBRARY;
  }

  /// Finds the functions of [PanoptimAbi]. The prefix of a function's name determines its library.
  static SymbolLookup functions() {
    return function -> of(function).functions.find(function);
  }

  private static NativeLibrary of(String function) {
    if (function.startsWith("panoptim_cuda_")) {
      return ofCuda();
    }
    return function.startsWith("panoptim_openmp_") ? ofOpenMp() : ofProcessor();
  }

  /// Whether the functions of this library can be called.
  public boolean isLoaded() {
    return origin != null;
  }

  /// Describes where the library was loaded from; `null` if it could not be loaded.
  public String origin() {
    return origin;
  }

  /// A description of each failed attempt, with the dynamic linker's message if there is one.
  public List<String> failedAttempts() {
    return List.copyOf(attempts);
  }

  private String find() {
    String named = System.getProperty(fileProperty);
    if (named != null) {
      String place = "the system property " + fileProperty;
      try {
        return load(place, Path.of(named), "") ? place + ", " + named : null;
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
    String elsewhere =
        "; the system property "
            + Extraction.DIRECTORY_PROPERTY
            + " can name another directory to extract it to";
    try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
      if (content == null) {
        attempts.add(place + ": not packaged, " + whyNotPackaged());
        return null;
      }
      try (Extraction extraction =
          Extraction.of(content.readAllBytes(), System.mapLibraryName(name))) {
        return load(place, extraction.file(), elsewhere)
            ? place + ", " + extraction.describe()
            : null;
      }
    } catch (IllegalCallerException e) {
      attempts.add(place + ": " + whyNoNativeAccess(e));
    } catch (IOException | RuntimeException e) {
      attempts.add(place + ": " + e + elsewhere);
    }
    return null;
  }

  private String whyNotPackaged() {
    return name.endsWith("_cuda")
        ? "this build is for other systems, or was made without nvcc"
        : name.endsWith("_openmp")
            ? "this build is for other systems, or was made by a compiler without OpenMP"
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
        if (load("java.library.path", candidate, "")) {
          return "java.library.path, " + candidate;
        }
      }
    }
    if (!found) {
      attempts.add("java.library.path: no " + file + " in " + directories);
    }
    return null;
  }

  /// @param elsewhere advice for a file system where files cannot be executed
  private boolean load(String place, Path file, String elsewhere) {
    String attempt = place + ", " + file + ": ";
    try {
      functions = LibraryFile.open(file, name, lifetime);
      return true;
    } catch (UnsatisfiedLinkError e) {
      String reason = LibraryFile.likelyReason(e).map(why -> "; " + why + elsewhere).orElse("");
      attempts.add(attempt + e.getMessage() + reason);
    } catch (IllegalCallerException e) {
      attempts.add(attempt + whyNoNativeAccess(e));
    }
    return false;
  }

  private static String whyNoNativeAccess(IllegalCallerException refusal) {
    return "native access is not enabled, start Java with --enable-native-access="
        + (NativeLibrary.class.getModule().isNamed() ? "dev.panoptim" : "ALL-UNNAMED")
        + " ("
        + refusal.getMessage()
        + ")";
  }

  /// The platform as `<os>-<arch>`; the build uses it as the directory of the packaged library.
  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os)
        + "-"
        + (arch.equals("amd64") ? "x86_64" : arch);
  }
}
