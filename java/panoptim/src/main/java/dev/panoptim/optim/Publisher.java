package dev.panoptim.optim;

import dev.panoptim.device.Device;
import dev.panoptim.internal.memory.Origin;
import dev.panoptim.internal.step.Engine;
import dev.panoptim.internal.step.PublishTarget;
import dev.panoptim.internal.step.StepPublisher;
import dev.panoptim.internal.step.TrackedParameter;
import dev.panoptim.internal.tensor.TensorChecks;
import dev.panoptim.memory.Parameter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The writing side of a [Publication], used by the thread that steps.
final class Publisher implements StepPublisher {
  private final PublicationOptions options;

  /// Where the parameters lie.
  private final Device device;

  /// Where the averages lie.
  private final Device stateDevice;

  private final Publication publication = new Publication();
  private final Origin origin = Origin.here("an optimizer that publishes");

  /// All parameters of the optimizer.
  private List<TrackedParameter> all = List.of();

  /// The parameters that are published.
  private List<TrackedParameter> chosen = List.of();

  /// Steps since the last publication.
  private long stepsSince;

  /// The buffer that the running step writes; `null` if it does not publish.
  private PublicationBuffer writing;

  /// @param engine the engine that makes the steps
  Publisher(PublicationOptions options, Engine engine) {
    this.options = options;
    device = engine.device();
    stateDevice = engine.stateDevice();
  }

  Publication publication() {
    return publication;
  }

  /// Publishes the present parameters, and the chosen ones of them from now on. If this throws,
  /// nothing has changed.
  ///
  /// @throws IllegalArgumentException if a chosen parameter is not in `parameters`
  /// @throws OutOfMemoryError if there is not enough memory
  void begin(List<TrackedParameter> parameters) {
    List<TrackedParameter> found = choose(parameters);
    if (!all.isEmpty() && found.equals(chosen)) {
      all = parameters;
      return;
    }
    PublicationRing ring =
        new PublicationRing(
            found.stream().map(TrackedParameter::parameter).toList(), options, origin);
    try {
      found.forEach(each -> each.parameter().requireInPlace());
      PublicationBuffer first = ring.free();
      found.forEach(each -> copy(each, ring.offset(each.name()), first));
      first.setStep(steps(parameters));
      ring.publish(first);
    } catch (Throwable e) {
      ring.end();
      throw e;
    }
    all = parameters;
    chosen = found;
    chosen.forEach(each -> each.publishAt(ring.offset(each.name())));
    publication.replace(ring);
  }

  private List<TrackedParameter> choose(List<TrackedParameter> parameters) {
    List<Parameter> wanted =
        options.chosenOf(parameters.stream().map(TrackedParameter::parameter).toList());
    List<TrackedParameter> found = new ArrayList<>();
    for (Parameter each : wanted) {
      found.add(
          parameters.stream()
              .filter(tracked -> tracked.parameter() == each)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          each + " is to be published, but is no parameter of this optimizer")));
    }
    return found;
  }

  @Override
  public void requireReady() {
    if (stepsSince + 1 < options.every()) {
      return;
    }
    for (int i = 0; i < chosen.size(); i++) {
      TrackedParameter each = chosen.get(i);
      if (!each.hasRow() && !isAverage(each)) {
        MemorySegment data = each.parameter().data();
        // The message is built only if the check fails: strings would be garbage at each step.
        if (!data.scope().isAlive() || !data.isAccessibleBy(Thread.currentThread())) {
          TensorChecks.requireAlive("data of '" + each.name() + "'", data);
        }
      }
    }
  }

  /// Whether the average of a parameter is published. Before its first step there is none, and the
  /// parameter itself is published.
  private boolean isAverage(TrackedParameter each) {
    return options.averages() && each.currentSteps() > 0;
  }

  @Override
  public PublishTarget beginStep() {
    writing = null;
    if (stepsSince + 1 < options.every()) {
      return null;
    }
    writing = publication.ring().free();
    if (writing == null) {
      publication.skip(steps(all) + 1);
    }
    return writing == null || !device.isCpu() ? null : writing.target();
  }

  /// Copies the parameters that the step has not written.
  @Override
  public void endStep() {
    stepsSince++;
    if (writing == null) {
      return;
    }
    for (int i = 0; i < chosen.size(); i++) {
      TrackedParameter each = chosen.get(i);
      if (!device.isCpu() || !each.hasRow()) {
        copy(each, each.published(), writing);
      }
    }
    publish(writing);
  }

  @Override
  public boolean publishes() {
    return writing != null;
  }

  /// Publishes the present parameters; counts as skipped if readers hold all buffers.
  void publishNow() {
    PublicationBuffer buffer = publication.ring().free();
    if (buffer == null) {
      publication.skip(steps(all));
      // The publication is due at the next step.
      stepsSince = options.every();
      return;
    }
    chosen.forEach(each -> each.parameter().requireInPlace());
    chosen.forEach(each -> copy(each, each.published(), buffer));
    publish(buffer);
  }

  private void publish(PublicationBuffer written) {
    written.setStep(steps(all));
    publication.publish(written);
    stepsSince = 0;
    writing = null;
  }

  private static long steps(List<TrackedParameter> parameters) {
    long most = 0;
    // By index: an iterator would be garbage at each step.
    for (int i = 0; i < parameters.size(); i++) {
      most = Math.max(most, parameters.get(i).currentSteps());
    }
    return most;
  }

  private void copy(TrackedParameter each, long offset, PublicationBuffer buffer) {
    long size = each.parameter().size();
    boolean average = isAverage(each);
    Device source = average ? stateDevice : device;
    MemorySegment from = average ? each.states().getLast() : each.parameter().data();
    if (options.halfPrecision() == null) {
      source.download(from, buffer.target().memory().asSlice(offset, size * Float.BYTES));
    } else {
      MemorySegment readable = source.readable(from, size * Float.BYTES);
      buffer.target().copy(readable, offset, 0, size);
    }
  }

  /// Ends the publication. A second call has no effect.
  void close() {
    if (publication.ring() != null) {
      publication.ring().end();
    }
  }
}
