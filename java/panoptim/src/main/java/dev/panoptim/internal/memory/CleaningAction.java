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

/// Creates actions for a [java.lang.ref.Cleaner] or an arena that do not keep this library's class
/// loader alive.
///
/// A cleaner refers to each action until the action has run. An object of this library refers to
/// its class loader, which refers to all static fields of the application's classes. If such a
/// field led to the watched object, neither the object nor the class loader could ever be
/// collected.
///
/// The action given to the cleaner therefore consists only of classes of the platform: a proxy of a
/// method handle with a weak reference to the library's action. A static field keeps the library's
/// action alive until the action has run or the class loader is collected. If the class loader has
/// been collected, another method handle is called instead. It must free native memory without
/// classes of this library.
///
/// Thread-safe.
public final class CleaningAction {
  private static final MethodHandles.Lookup PLATFORM = MethodHandles.publicLookup();

  /// Does nothing.
  static final MethodHandle NOTHING = MethodHandles.empty(methodType(void.class));

  private static final MethodHandle CALL = MethodHandles.exactInvoker(NOTHING.type());

  /// Runs the referent of a reference if it still exists, else calls a method handle.
  private static final MethodHandle RUN_OR_CALL = runOrCall();

  /// Calls each method handle of an [Iterable]. An exception of one does not prevent the others.
  private static final MethodHandle CALL_EACH = callEach();

  /// Keeps the library's actions alive as long as its class loader.
  private static final Set<Pending> PENDING = ConcurrentHashMap.newKeySet();

  private CleaningAction() {}

  /// This is a class and not a record, so that each object is equal only to itself.
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

  /// Creates an action for a cleaner.
  ///
  /// @param action runs if this library's class loader still exists; must not refer to the watched
  ///   object
  /// @param afterUnloading is called if the class loader has been collected; takes and returns
  ///   nothing, and refers only to objects of the platform's classes
  static Runnable runnable(Runnable action, MethodHandle afterUnloading) {
    return MethodHandleProxies.asInterfaceInstance(Runnable.class, handle(action, afterUnloading));
  }

  /// Creates an action for [MemorySegment#reinterpret(long, java.lang.foreign.Arena, Consumer)].
  ///
  /// @param action as for [#runnable]
  /// @param afterUnloading as for [#runnable]
  @SuppressWarnings("unchecked")
  public static Consumer<MemorySegment> consumer(Runnable action, MethodHandle afterUnloading) {
    return MethodHandleProxies.asInterfaceInstance(
        Consumer.class,
        MethodHandles.dropArguments(handle(action, afterUnloading), 0, Object.class));
  }

  /// Returns a method handle that calls all handles of a collection, including those added later.
  ///
  /// @param handles a collection of a platform class; each handle takes and returns nothing
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
