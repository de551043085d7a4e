package dev.panoptim.internal.step;

import dev.panoptim.memory.HalfPrecision;
import dev.panoptim.rule.Decay;
import java.util.ArrayList;
import java.util.List;

/// What changes at each step: coefficients, decay, clipping, zeroing and publication.
///
/// Rows share coefficients: each set of them has a slot, and each row has the number of a slot.
///
/// Not thread-safe. Allocates only when more slots are used than ever before.
public final class StepValues {
  private final Rows rows;
  private final int[] slots;
  private final List<Coefficients> coefficients = new ArrayList<>();
  private int usedSlots;
  private Decay decay;
  private boolean measuresCurvature;
  private float clip = Float.POSITIVE_INFINITY;
  private boolean zeroes;
  private PublishTarget publishTarget;

  StepValues(Rows rows) {
    this.rows = rows;
    slots = new int[rows.count()];
    decay = rows.rule().decay();
  }

  /// Removes the previous step's coefficients.
  ///
  /// @param decays whether the group's weight decay is other than 0
  void begin(boolean decays) {
    usedSlots = 0;
    decay = decays ? rows.rule().decay() : Decay.NONE;
    measuresCurvature = false;
  }

  /// Removes the previous step's coefficients. What follows is no step but a measurement of the
  /// curvature: it writes no average and no half-precision copy, and publishes nothing.
  void beginMeasurement() {
    begin(false);
    measuresCurvature = true;
    publishTarget = null;
  }

  /// Whether only the curvature is measured.
  public boolean measuresCurvature() {
    return measuresCurvature;
  }

  /// Whether averages are written.
  public boolean averages() {
    return rows.averages() && !measuresCurvature;
  }

  /// The format of the half-precision copies that are written; `null` for none.
  public HalfPrecision halfPrecision() {
    return measuresCurvature ? null : rows.halfPrecision();
  }

  /// Makes these the coefficients of the only row.
  void use(Coefficients only, Decay kind) {
    if (coefficients.isEmpty()) {
      coefficients.add(only);
    }
    coefficients.set(0, only);
    usedSlots = 1;
    slots[0] = 0;
    decay = kind;
  }

  /// Coefficients for the rows that follow; the caller fills them in.
  Coefficients nextCoefficients() {
    if (usedSlots == coefficients.size()) {
      coefficients.add(new Coefficients());
    }
    return coefficients.get(usedSlots++);
  }

  /// Assigns the result of the last [#nextCoefficients] to a row.
  ///
  /// @throws IllegalStateException if [#nextCoefficients] was not called since [#begin]
  void assign(int row) {
    if (usedSlots == 0) {
      throw new IllegalStateException("row " + row + " has no coefficients to be given");
    }
    slots[row] = usedSlots - 1;
  }

  public int slot(int row) {
    return slots[row];
  }

  public int usedSlots() {
    return usedSlots;
  }

  /// @param slot below [#usedSlots]
  public Coefficients coefficients(int slot) {
    return coefficients.get(slot);
  }

  /// The decay that the next step applies: none if the group's weight decay is 0, else the rule's.
  public Decay decay() {
    return decay;
  }

  /// The largest absolute value of a scaled gradient; infinite if gradients are not clipped.
  public float clip() {
    return clip;
  }

  public boolean clips() {
    return clip < Float.POSITIVE_INFINITY;
  }

  /// Whether the step sets gradients to 0 once they have been used.
  public boolean zeroes() {
    return zeroes;
  }

  void treatGradients(float clip, boolean zeroes) {
    this.clip = clip;
    this.zeroes = zeroes;
  }

  /// Sets where the next step copies the rows to that are published; `null`, as at first, for
  /// nowhere.
  ///
  /// @param target has room for these rows; no thread reads or frees it until the step is done
  /// @throws IllegalArgumentException if the rows are not on the CPU, or averages are to be
  ///   published that the rows do not have
  void publishTo(PublishTarget target) {
    if (target != null && !rows.device().isCpu()) {
      throw new IllegalArgumentException(
          "a step on " + rows.device() + " cannot publish by itself");
    }
    if (target != null && target.averages() && !rows.averages()) {
      throw new IllegalArgumentException("averages are to be published, but none are kept");
    }
    publishTarget = target;
  }

  /// `null` if the next step publishes nothing.
  public PublishTarget publishTarget() {
    return publishTarget;
  }

  /// Copies the values of another plan. These rows are parts of its rows.
  ///
  /// @param wholeRows for each of these rows, the row of the other plan
  public void follow(StepValues whole, int[] wholeRows) {
    decay = whole.decay;
    clip = whole.clip;
    measuresCurvature = whole.measuresCurvature;
    usedSlots = 0;
    int last = -1;
    for (int i = 0; i < slots.length; i++) {
      int slot = whole.slots[wholeRows[i]];
      if (slot != last) {
        if (usedSlots == coefficients.size()) {
          coefficients.add(null);
        }
        coefficients.set(usedSlots++, whole.coefficients.get(slot));
        last = slot;
      }
      slots[i] = usedSlots - 1;
    }
  }
}
