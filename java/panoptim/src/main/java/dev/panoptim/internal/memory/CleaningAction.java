package dev.panoptim.internal.memory;

import static java.lang.invoke.MethodType.methodType;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/// Actions for a [java.lang.ref.Cleaner] or an arena that do not keep this library's class loader.
///
/// A cleaner refers to each action until it has run. An object of this library refers to its class
/// loader, which refers to all static fields of the application's classes there. If such a field
/// led to the object that is watched, neither could ever be collected. So what a cleaner is given
/// consists of the platform's classes alone: a proxy of a method handle that refers to the
/// library's action weakly. A static field keeps that action until it has run or the class loader
/// is collected. In the latter case another method handle is called, which must free native memory
/// without this library's classes.
///
/// Thread-safe.
public final class CleaningAction {
  private static final MethodHandles.Lookup PLATFORM = MethodHandles.publicLookup();

  /// Does nothing.
  public static final MethodHandle NOTHING = MethodHandles.empty(methodType(void.class));

  private static final MethodHandle CALL = MethodHandles.exactInvoker(NOTHING.type());

  /// Runs the action that a reference still has, and else calls a method handle.
  private static final MethodHandle RUN_OR_CALL = runOrCall();

  /// Calls each method handle of an [Iterable]. What one throws does not prevent the others.
  private static final MethodHandle CALL_EACH = callEach();

  /// Keeps the library's actions while its class loader lives.
  private static final Set<Pending> PENDING = ConcurrentHashMap.newKeySet();

  private CleaningAction() {}

  /// A class, not a record: each is equal to itself alone.
  private static final class Pending implements Runnable {
    private final Runnable action;

    Pending(Runnable action) {
      this.action = action;
    }

    @Override
    public void run() {
      if (PENDING.remove(this)) {
        action.run();
      }
    }
  }

  /// An action for a cleaner.
  ///
  /// @param action is run if the class loader of this library is still there; must not refer to
  ///   what the cleaner watches
  /// @param afterUnloading is called if it is not; takes and returns nothing, and refers to nothing
  ///   but objects of the platform's classes
  static Runnable runnable(Runnable action, MethodHandle afterUnloading) {
    return MethodHandleProxies.asInterfaceInstance(Runnable.class, handle(action, afterUnloading));
  }

  /// An action for [MemorySegment#reinterpret(long, java.lang.foreign.Arena, Consumer)].
  ///
  /// @param action as for [#runnable]
  /// @param afterUnloading as for [#runnable]
  @SuppressWarnings("unchecked")
  public static Consumer<MemorySegment> consumer(Runnable action, MethodHandle afterUnloading) {
    return MethodHandleProxies.asInterfaceInstance(
        Consumer.class,
        MethodHandles.dropArguments(handle(action, afterUnloading), 0, Object.class));
  }

  /// Calls all of some method handles, even those that are added after this call.
  ///
  /// @param handles of a collection class of the platform; each takes and returns nothing
  static MethodHandle each(Iterable<MethodHandle> handles) {
    return CALL_EACH.bindTo(handles);
  }

  private static MethodHandle handle(Runnable action, MethodHandle afterUnloading) {
    Pending pending = new Pending(action);
    PENDING.add(pending);
    return MethodHandles.insertArguments(
        RUN_OR_CALL, 0, new WeakReference<>(pending), afterUnloading);
  }

  private static MethodHandle runOrCall() {
    try {
      MethodHandle isThere =
          PLATFORM.findStatic(Objects.class, "nonNull", methodType(boolean.class, Object.class));
      MethodHandle run = PLATFORM.findVirtual(Runnable.class, "run", methodType(void.class));
      MethodHandle get = PLATFORM.findVirtual(Reference.class, "get", methodType(Object.class));
      MethodHandle either =
          MethodHandles.guardWithTest(
              isThere,
              MethodHandles.dropArguments(
                  run.asType(methodType(void.class, Object.class)), 1, MethodHandle.class),
              MethodHandles.dropArguments(CALL, 0, Object.class));
      return MethodHandles.filterArguments(either, 0, get);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("these are public methods", e);
    }
  }

  private static MethodHandle callEach() {
    try {
      MethodHandle forEach =
          PLATFORM.findVirtual(Iterable.class, "forEach", methodType(void.class, Consumer.class));
      MethodHandle quietly =
          MethodHandles.catchException(
              CALL,
              Throwable.class,
              MethodHandles.empty(methodType(void.class, Throwable.class, MethodHandle.class)));
      return MethodHandles.insertArguments(
          forEach,
          1,
          MethodHandleProxies.asInterfaceInstance(
              Consumer.class, quietly.asType(methodType(void.class, Object.class))));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError("this is a public method", e);
    }
  }
}
