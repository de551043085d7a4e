package dev.panoptim.internal.ffm;

import dev.panoptim.backend.Backend;
import dev.panoptim.backend.Threading;
import dev.panoptim.backend.Tier;
import dev.panoptim.internal.bindings.Downcall;
import dev.panoptim.internal.bindings.NativeLibrary;
import dev.panoptim.internal.bindings.PanoptimAbi;
import dev.panoptim.internal.bindings.panoptim_description;
import dev.panoptim.internal.bindings.panoptim_plan;
import dev.panoptim.internal.factored.FactoredOperations;
import dev.panoptim.internal.factored.FactoredShape;
import dev.panoptim.internal.matrix.NativeProducts;
import dev.panoptim.internal.matrix.Products;
import dev.panoptim.internal.parallel.HelperPool;
import dev.panoptim.internal.parallel.WorkSplit;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.NormDecision;
import dev.panoptim.internal.step.Prepared;
import dev.panoptim.internal.step.StepPlan;
import dev.panoptim.internal.step.TableKernel;
import dev.panoptim.internal.step.TableLayout;
import dev.panoptim.internal.vector.VectorOperations;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/// The framework in C++, in one tier.
///
/// Thread-safe.
public final class NativeBackend extends Engine {
  /// The library's description of itself and of this processor. The library must be loaded before
  /// this class is initialised.
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

  private final Tier tier;

  private final Threading wanted;

  /// Whether steps use OpenMP's team if possible; `false` if its library is not loaded.
  private final boolean usesTeam;

  /// The tier must be available.
  ///
  /// @param threading the preferred threads
  public NativeBackend(Tier tier, Threading threading) {
    this.tier = tier;
    wanted = threading;
    usesTeam = threading == Threading.OPENMP && OpenMp.isAvailable();
  }

  @Override
  public Threading threading() {
    return usesTeam && OpenMp.whyNot() == null ? Threading.OPENMP : Threading.POOL;
  }

  @Override
  public Backend with(Threading other) {
    Objects.requireNonNull(other, "threading is null");
    return other == wanted ? this : new NativeBackend(tier, other);
  }

  public Tier tier() {
    return tier;
  }

  /// The reason why a tier is unavailable, or `null`.
  public static String whyNot(Tier tier) {
    if (!NativeLibrary.ofProcessor().isLoaded()) {
      return "the native library could not be loaded: "
          + String.join("; ", NativeLibrary.ofProcessor().failedAttempts());
    }
    return Description.OF_LIBRARY.whyNot[tier.ordinal()];
  }

  /// The highest available tier. The library must be loaded.
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
      text.append(", as requested");
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
  protected Prepared make(StepPlan plan, Prepared before) {
    NativeTable table = new NativeTable(this, plan);
    table.calls().forEach(call -> HeldCalls.prepareStep(call.fewHolds.length));
    return table;
  }

  private NativeTable table(StepPlan plan) {
    return (NativeTable) prepared(plan);
  }

  @Override
  protected void run(StepPlan plan, int threads, NormDecision decision) {
    try {
      run(NativeWork.STEP, table(plan).calls(tier.ordinal()), threads);
    } catch (IllegalStateException | WrongThreadException e) {
      // The linker's message for closed memory does not name the tensor; this check does.
      plan.rows().requireAlive();
      throw e;
    }
  }

  /// One call by one thread: the linker opens all arenas before the call begins, or throws.
  @Override
  public boolean refusesDeadMemory(StepPlan plan, int threads) {
    return table(plan).calls().size() == 1
        && WorkSplit.helpers(plan.rows().elements(), threads) == 0;
  }

  @Override
  public FactoredOperations factoredOperations(
      FactoredShape shape, MemorySegment workspace, int threads) {
    return new NativeFactored(tier, shape, workspace, threads);
  }

  @Override
  public Products products() {
    return new NativeProducts(tier);
  }

  @Override
  public VectorOperations vectorOperations(long length, int threads) {
    return new NativeVectors(tier, length, threads);
  }

  @Override
  public TableKernel tableKernel(TableLayout layout) {
    return new NativeTableKernel(tier, layout);
  }

  @Override
  protected void sumSquares(StepPlan plan, int threads) {
    run(NativeWork.SUM_SQUARES, table(plan).callsForSums(tier.ordinal()), threads);
  }

  @Override
  protected void fillMeasures(StepPlan plan, int threads) {
    run(NativeWork.MEASURE, table(plan).callsForMeasures(tier.ordinal()), threads);
  }

  private void run(NativeWork work, List<NativeTable.Call> calls, int threads) {
    for (int i = 0; i < calls.size(); i++) {
      NativeTable.Call call = calls.get(i);
      int helpers = WorkSplit.helpers(call.elements, threads);
      call.helpers = 0;
      if (helpers == 0) {
        runAlone(work, call);
      } else {
        runTogether(work, call, helpers);
      }
    }
  }

  private void runTogether(NativeWork work, NativeTable.Call call, int most) {
    int free = HelperPool.enter();
    int helpers = Math.min(most, free);
    call.helpers = helpers;
    try {
      // A team of another size would have to end and start threads, so fewer helpers use the pool.
      int team = usesTeam && helpers == most ? OpenMp.enter(most + 1) : 0;
      if (team > 0) {
        runByTeam(work, call, team, helpers);
      } else {
        runByPool(work, call, helpers, free);
      }
    } finally {
      HelperPool.leave(call);
      // If the downcall failed before it began, because memory was closed, helpers still wait for
      // it.
      panoptim_plan.sharing(call.plan, PanoptimAbi.PANOPTIM_CLOSED());
    }
  }

  private static void runByTeam(NativeWork work, NativeTable.Call call, int team, int helpers) {
    HelperPool.occupy(helpers);
    try {
      panoptim_plan.share(call.plan, WorkSplit.share(call.elements, helpers + 1));
      require(call, work.byTeam(call, team, helpers + 1));
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    } finally {
      HelperPool.occupy(-helpers);
      OpenMp.leave();
    }
  }

  /// The calling thread's downcall ends when all work is done. Helpers make separate downcalls,
  /// which take shares.
  private static void runByPool(NativeWork work, NativeTable.Call call, int helpers, int free) {
    if (helpers > 0) {
      panoptim_plan.share(call.plan, WorkSplit.share(call.elements, helpers + 1));
      panoptim_plan.sharing(call.plan, PanoptimAbi.PANOPTIM_ANNOUNCED());
      HelperPool.offer(helpers, free, call, WorkSplit.wakes(call.elements));
    }
    runAlone(work, call);
  }

  private static void runAlone(NativeWork work, NativeTable.Call call) {
    try {
      require(call, work.byCaller(call));
    } catch (Throwable e) {
      throw Downcall.unchecked(e);
    }
  }

  private static void require(NativeTable.Call call, int status) {
    if (status != PanoptimAbi.PANOPTIM_OK()) {
      throw Downcall.failed("the native call", status, panoptim_plan.error(call.plan).getString(0));
    }
  }
}
