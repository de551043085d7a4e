package dev.panoptim.backend;

import dev.panoptim.device.CudaException;
import dev.panoptim.device.Device;
import dev.panoptim.device.DeviceStream;
import dev.panoptim.internal.cuda.CudaBackend;
import dev.panoptim.internal.cuda.OffloadBackend;
import dev.panoptim.internal.ffm.NativeBackend;
import dev.panoptim.internal.ffm.OpenMp;
import dev.panoptim.internal.jvm.ScalarBackend;
import dev.panoptim.internal.jvm.VectorBackend;
import dev.panoptim.internal.observe.Events;
import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.ThreadProperties;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// Selects backends.
///
/// An explicit choice of an unavailable backend throws; [#auto()] takes the fastest available one.
/// Three system properties choose for a whole process. `panoptim.backend` (`auto`, `native`,
/// `vector`, `scalar`) sets the result of [#auto()] for the CPU. `panoptim.tier` (`baseline`,
/// `avx2`, `avx512`) sets the tier of the native backend, and `panoptim.threading` its threads: see
/// [Threading].
///
/// Thread-safe.
public final class Backends {
  static final String BACKEND_PROPERTY = "panoptim.backend";
  private static final String TIER_PROPERTY = "panoptim.tier";

  /// The result of [#auto()]; `null` before its first call.
  private static Backend automatic;

  /// The status of `automatic`; `null` before the first call of [#auto()].
  private static BackendStatus status;

  private static final class Vector {
    static final VectorBackend INSTANCE = new VectorBackend();
  }

  private Backends() {}

  /// The fastest available backend for the CPU: native, else the Vector API, else plain Java. The
  /// choice and its reasons are logged once, through [System.Logger].
  ///
  /// @throws BackendUnavailableException if a system property chooses an unavailable backend
  /// @throws IllegalArgumentException if a system property has an unknown value
  public static synchronized Backend auto() {
    if (automatic == null) {
      String wanted = System.getProperty(BACKEND_PROPERTY, "auto");
      if (wanted.equals("cuda")) {
        cuda(0); // throws if CUDA is unavailable; the message says what is missing
        throw new IllegalArgumentException(
            "system property "
                + BACKEND_PROPERTY
                + " is 'cuda', which is for parameters on a GPU, but these are on the cpu");
      }
      boolean free = wanted.equals("auto");
      Backend chosen = free ? best() : namedByProperty(wanted);
      status = statusOf(chosen, !free);
      automatic = chosen;
      announce(status);
    }
    return automatic;
  }

  private static Backend namedByProperty(String name) {
    return switch (name) {
      case "native", "vector", "scalar" -> named(name);
      default ->
          throw new IllegalArgumentException(
              "system property %s is '%s', but must be auto, native, vector or scalar"
                  .formatted(BACKEND_PROPERTY, name));
    };
  }

  private static Backend best() {
    if (nativeUnavailableReason() == null) {
      return nativeCode();
    }
    return VectorBackend.whyNot() == null ? vector() : scalar();
  }

  /// A backend by its name.
  ///
  /// @param name `auto`, `native`, `vector`, `scalar`, or `cuda` for the first GPU
  /// @throws IllegalArgumentException if it is none of these
  /// @throws BackendUnavailableException if it is unavailable
  public static Backend named(String name) {
    return switch (name) {
      case "auto" -> auto();
      case "native" -> nativeCode();
      case "vector" -> vector();
      case "scalar" -> scalar();
      case "cuda" -> cuda(0);
      default ->
          throw new IllegalArgumentException(
              "backend is '" + name + "', but must be auto, native, vector, scalar or cuda");
    };
  }

  /// The best backend for parameters on a device: [#auto()] for the CPU, [#cuda] for a GPU.
  ///
  /// @throws BackendUnavailableException if a system property chooses an unavailable backend
  public static Backend of(Device device) {
    return device.isCpu() ? auto() : cuda(DeviceStream.defaultOf(device));
  }

  /// CUDA on a GPU, in its default stream.
  ///
  /// @param index as for [Device#cuda]
  /// @throws BackendUnavailableException if CUDA is unavailable; the message says what is missing
  /// @throws IllegalArgumentException if there is no GPU of that number
  public static Backend cuda(int index) {
    try {
      return of(Device.cuda(index));
    } catch (CudaException e) {
      throw new BackendUnavailableException("the cuda backend is unavailable: " + e.getMessage());
    }
  }

  /// CUDA in a stream, which must stay open while this backend is used. Steps run in the stream's
  /// order.
  public static Backend cuda(DeviceStream stream) {
    return new CudaBackend(stream);
  }

  /// Parameters and gradients on a GPU, states and update on the CPU: for GPUs whose memory is too
  /// small for the states (ZeRO-Offload: Ren et al. 2021). Gradients and parameters are copied to
  /// the host and parameters back in slices, while the slice before is updated.
  ///
  /// Steps are complete when they return. They begin after all earlier work of the GPU's default
  /// stream.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws BackendUnavailableException as [#auto()]
  public static Backend offload(Device device) {
    return offload(DeviceStream.defaultOf(device), auto());
  }

  /// Like [#offload(Device)], with a chosen backend for the update and a chosen stream: steps begin
  /// after the stream's earlier work, which must include the computation of the gradients.
  ///
  /// @throws IllegalArgumentException if the backend is one for a GPU
  public static Backend offload(DeviceStream stream, Backend update) {
    return new OffloadBackend(stream, update, false);
  }

  /// Like [#offload(Device)], with a master copy of the parameters in the host's memory. Parameters
  /// are then copied to the host once, not at each step; gradients still are at each step, and
  /// parameters are still copied back. This takes 4 bytes of pinned memory for each element, which
  /// the system cannot page out. The results have the same bits.
  ///
  /// Parameters are copied to the host again when the master copy is out of date: after
  /// [dev.panoptim.memory.Parameter#copyDataFrom], after other writes by this library to their
  /// memory, such as loading a checkpoint or a step of another optimizer, and after a step that has
  /// failed. Writes by other code to the GPU's memory are not detected: call
  /// [dev.panoptim.memory.Parameter#dataWrittenElsewhere] after each, or the next step overwrites
  /// them.
  ///
  /// The master copy holds the parameters that have a gradient, in their order. Where another set
  /// of parameters has gradients than in the step before, the parameters whose place in this order
  /// has changed are copied to the host again, and those that had no gradient; if the copy must
  /// grow, all of them. Parameters that are adjacent on the GPU are copied together, in runs of up
  /// to 4 MiB.
  ///
  /// @throws IllegalArgumentException if the device is the CPU
  /// @throws BackendUnavailableException as [#auto()]
  public static Backend offloadWithMasterCopy(Device device) {
    return offloadWithMasterCopy(DeviceStream.defaultOf(device), auto());
  }

  /// Like [#offloadWithMasterCopy(Device)], with a chosen backend for the update and a chosen
  /// stream, as for [#offload(DeviceStream, Backend)].
  ///
  /// @throws IllegalArgumentException if the backend is one for a GPU
  public static Backend offloadWithMasterCopy(DeviceStream stream, Backend update) {
    return new OffloadBackend(stream, update, true);
  }

  /// C++ in the highest tier that this processor supports, or in the tier that the system property
  /// `panoptim.tier` names.
  ///
  /// @throws BackendUnavailableException if the library or the tier is unavailable
  public static Backend nativeCode() {
    String wanted = System.getProperty(TIER_PROPERTY);
    if (wanted != null) {
      return nativeCode(tier(wanted));
    }
    String why = nativeUnavailableReason();
    if (why != null) {
      throw new BackendUnavailableException("the native backend is unavailable: " + why);
    }
    return new NativeBackend(NativeBackend.best(), ThreadProperties.threading());
  }

  /// C++ in the given tier.
  ///
  /// @throws BackendUnavailableException if the library or the tier is unavailable
  public static Backend nativeCode(Tier tier) {
    String why = NativeBackend.whyNot(tier);
    if (why != null) {
      throw new BackendUnavailableException(
          "the native backend's tier " + tier.label() + " is unavailable: " + why);
    }
    return new NativeBackend(tier, ThreadProperties.threading());
  }

  /// Java's Vector API.
  ///
  /// @throws BackendUnavailableException if the module `jdk.incubator.vector` is missing
  public static Backend vector() {
    String why = VectorBackend.whyNot();
    if (why != null) {
      throw new BackendUnavailableException("the vector backend is unavailable: " + why);
    }
    return Vector.INSTANCE;
  }

  /// Plain Java.
  public static Backend scalar() {
    return ScalarBackend.INSTANCE;
  }

  /// The available native tiers, lowest first.
  public static List<Tier> tiers() {
    return Arrays.stream(Tier.values()).filter(tier -> NativeBackend.whyNot(tier) == null).toList();
  }

  /// Ends the threads that help with steps: the pool's, which all optimizers of this class loader
  /// share, and the OpenMP team of the calling thread. To be called when an application that
  /// contains this library is unloaded: a live thread prevents the collection of its class loader.
  /// Without this call, the pool's threads end after ten idle seconds.
  ///
  /// Running steps are not disturbed: busy threads finish their work first. Returns when all
  /// threads have ended, or after a second. Later steps start new threads. Without threads it does
  /// nothing. May be called from any thread, at any time; the OpenMP team of another thread ends
  /// with that thread.
  public static void endThreads() {
    HelperPool.endThreads();
    OpenMp.endTeam();
  }

  /// The choice of [#auto()], and why no faster backend is used, in one line.
  ///
  /// @throws BackendUnavailableException as [#auto()]
  /// @throws IllegalArgumentException as [#auto()]
  public static synchronized String describe() {
    auto();
    return status.inWords();
  }

  /// The choice of [#auto()], and why no faster backend is used. Calls [#auto()] if that has not
  /// been called. Does not throw if the backend is unavailable, so health checks may call it:
  /// [BackendStatus#available()] is then `false`, and the reason is the message of the exception of
  /// [#auto()].
  public static synchronized BackendStatus status() {
    try {
      auto();
      return status;
    } catch (BackendUnavailableException | IllegalArgumentException e) {
      return new BackendStatus(
          System.getProperty(BACKEND_PROPERTY, "auto"),
          Optional.empty(),
          false,
          System.getProperty(BACKEND_PROPERTY) != null,
          true,
          List.of(e.getMessage()),
          "");
    }
  }

  private static BackendStatus statusOf(Backend chosen, boolean asked) {
    boolean isNative = chosen.name().equals("native");
    List<String> reasons = new ArrayList<>();
    if (!asked && !isNative) {
      reasons.add("not native because " + nativeUnavailableReason());
      if (chosen.name().equals("scalar")) {
        reasons.add("not vector because " + VectorBackend.whyNot());
      }
    }
    return new BackendStatus(
        chosen.name(),
        chosen instanceof NativeBackend backend ? Optional.of(backend.tier()) : Optional.empty(),
        true,
        asked,
        !asked && !isNative,
        reasons,
        chosen.describe());
  }

  private static void announce(BackendStatus chosen) {
    System.getLogger(Backends.class.getName())
        .log(
            chosen.degraded() ? System.Logger.Level.WARNING : System.Logger.Level.INFO,
            chosen.inWords());
    Events.backendChosen(
        chosen.name(),
        chosen.tier().map(Tier::label).orElse(""),
        chosen.degraded(),
        chosen.details());
    if (chosen.degraded()) {
      Events.fallback("native", chosen.name(), String.join("; ", chosen.reasons()));
    }
  }

  private static String nativeUnavailableReason() {
    return NativeBackend.whyNot(Tier.BASELINE);
  }

  private static Tier tier(String label) {
    return Arrays.stream(Tier.values())
        .filter(tier -> tier.label().equals(label.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "system property %s is '%s', but must be one of %s"
                        .formatted(
                            TIER_PROPERTY,
                            label,
                            Arrays.stream(Tier.values())
                                .map(Tier::label)
                                .collect(Collectors.joining(", ")))));
  }
}
