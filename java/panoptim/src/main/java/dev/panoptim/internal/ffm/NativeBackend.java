package dev.panoptim.internal.ffm;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_description;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.StepPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/// The framework in C++, in one tier.
///
/// Thread-safe.
public final class NativeBackend extends Engine {
  /// What the library says of itself and of this processor. Initialised only once the library is
  /// loaded.
  private static final class Description {
    static final Description OF_LIBRARY = new Description();

    final String compiler;
    final String[] whyNot = new String[Tier.values().length];

    private Description() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment filled = panoptim_description.allocate(arena);
        PanoptimAbi.panoptim_describe(filled);
        compiler = panoptim_description.compiler(filled).getString(0);
        for (Tier tier : Tier.values()) {
          long at = (long) tier.ordinal() * PanoptimAbi.PANOPTIM_TEXT();
          String why = panoptim_description.tier_reason(filled).getString(at);
          whyNot[tier.ordinal()] = why.isEmpty() ? null : why;
        }
      }
    }
  }

  private static final class Functions {
    private static final MemoryLayout[] HOLDS =
        Collections.nCopies(NativeTable.HOLDS, ValueLayout.ADDRESS).toArray(MemoryLayout[]::new);

    static final MethodHandle STEP = PanoptimAbi.panoptim_step.makeInvoker(HOLDS).handle();
    static final MethodHandle SUM_SQUARES =
        PanoptimAbi.panoptim_sum_squares.makeInvoker(HOLDS).handle();
  }

  private final Tier tier;

  private final Threading wanted;

  /// Whether steps ask for OpenMP's team; only if its library is loaded.
  private final boolean asksForTeam;

  /// The tier must be available.
  ///
  /// @param threading what is asked for
  public NativeBackend(Tier tier, Threading threading) {
    this.tier = tier;
    wanted = threading;
    asksForTeam = threading == Threading.OPENMP && OpenMp.isAvailable();
  }

  @Override
  public Threading threading() {
    return asksForTeam && OpenMp.whyNot() == null ? Threading.OPENMP : Threading.POOL;
  }

  @Override
  public Backend with(Threading other) {
    Objects.requireNonNull(other, "threading is null");
    return other == wanted ? this : new NativeBackend(tier, other);
  }

  public Tier tier() {
    return tier;
  }

  /// What keeps a tier from running, or `null`.
  public static String whyNot(Tier tier) {
    if (!NativeLibrary.ofProcessor().isLoaded()) {
      return "the native library could not be loaded: "
          + String.join("; ", NativeLibrary.ofProcessor().failedAttempts());
    }
    return Description.OF_LIBRARY.whyNot[tier.ordinal()];
  }

  /// The most capable tier that can run. The library must be loaded.
  public static Tier best() {
    return Arrays.stream(Tier.values())
        .filter(tier -> whyNot(tier) == null)
        .reduce((lower, higher) -> higher)
        .orElseThrow();
  }

  @Override
  public String name() {
    return "native";
  }

  @Override
  public String describe() {
    StringBuilder text = new StringBuilder("tier ").append(tier.label());
    if (tier != best()) {
      text.append(", as was asked for");
    }
    for (Tier other : Tier.values()) {
      String why = whyNot(other);
      if (why != null && tier == best()) {
        text.append(", not ").append(other.label()).append(" because ").append(why);
      }
    }
    if (threading() == Threading.OPENMP) {
      text.append("; threads by OpenMP from ").append(NativeLibrary.ofOpenMp().origin());
    } else if (wanted == Threading.OPENMP) {
      text.append("; threads by the pool, not OpenMP because ").append(OpenMp.whyNot());
    }
    Description library = Description.OF_LIBRARY;
    text.append("; built with ").append(library.compiler);
    return text.append("; loaded from ").append(NativeLibrary.ofProcessor().origin()).toString();
  }

  @Override
  protected void makeReady(StepPlan plan, StepPlan before) {
    plan.nativeTable();
  }

  @Override
  protected void run(StepPlan plan, int threads) {
    run(false, plan.nativeTable().calls(tier.ordinal()), threads);
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    run(true, plan.nativeTable().callsForSums(tier.ordinal()), threads);
  }

  /// @param sums whether squares are summed, or else a step is made
  private void run(boolean sums, List<NativeTable.Call> calls, int threads) {
    for (int i = 0; i < calls.size(); i++) {
      NativeTable.Call call = calls.get(i);
      int helpers = WorkSplit.helpers(call.elements, threads);
      call.helpers = 0;
      if (helpers == 0) {
        run(sums, call);
      } else {
        runTogether(sums, call, helpers);
      }
    }
  }

  private void runTogether(boolean sums, NativeTable.Call call, int most) {
    int free = HelperPool.enter();
    int helpers = Math.min(most, free);
    call.helpers = helpers;
    try {
      // A team of another size would have to end and start threads, so it is all or the pool.
      int team = asksForTeam && helpers == most ? OpenMp.enter(most + 1) : 0;
      if (team > 0) {
        runByTeam(sums, call, team, helpers);
      } else {
        runByPool(sums, call, helpers, free);
      }
    } finally {
      HelperPool.leave(call);
      // Where the downcall has not even begun, for memory is gone, helpers still wait for it.
      panoptim_plan.sharing(call.plan, PanoptimAbi.PANOPTIM_CLOSED());
    }
  }

  private static void runByTeam(boolean sums, NativeTable.Call call, int team, int helpers) {
    HelperPool.occupy(helpers);
    try {
      panoptim_plan.share(call.plan, WorkSplit.share(call.elements, helpers + 1));
      require(call, OpenMp.run(sums, call.plan, call.holds, team, helpers + 1));
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    } finally {
      HelperPool.occupy(-helpers);
      OpenMp.leave();
    }
  }

  /// The calling thread's downcall is the whole of the work, and ends when all of it is done;
  /// whoever of the crew comes in the meantime makes a downcall of its own and takes shares.
  private static void runByPool(boolean sums, NativeTable.Call call, int helpers, int free) {
    if (helpers > 0) {
      panoptim_plan.share(call.plan, WorkSplit.share(call.elements, helpers + 1));
      panoptim_plan.sharing(call.plan, PanoptimAbi.PANOPTIM_ANNOUNCED());
      HelperPool.invite(helpers, free, call, WorkSplit.wakes(call.elements, HelperPool.WATCH));
    }
    run(sums, call);
  }

  private static void run(boolean sums, NativeTable.Call call) {
    MemorySegment[] a = call.holds;
    try {
      // Each handle in a place of its own, where it is a constant.
      require(
          call,
          sums
              ? (int)
                  Functions.SUM_SQUARES.invokeExact(
                      call.plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
              : (int)
                  Functions.STEP.invokeExact(
                      call.plan, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]));
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError("a downcall throws nothing checked", e);
    }
  }

  private static void require(NativeTable.Call call, int status) {
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw new IllegalStateException(
          "the native call failed with status %s: %s"
              .formatted(status, panoptim_plan.error(call.plan).getString(0)));
    }
  }
}
