package dev.panoptim.schedule;

import dev.panoptim.memory.Parameter;
import dev.panoptim.rule.Hyperparameter;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Compares a [SchedulerState] with a scheduler whose groups may differ. It lists the differences,
/// and finds the saved drive of each hyperparameter if there are none.
///
/// Not thread-safe.
final class SchedulerFit {
  final List<String> differences = new ArrayList<>();

  private final Map<Hyperparameter, Map<String, SchedulerState.Drive>> saved =
      new EnumMap<>(Hyperparameter.class);

  /// The parameter names of the scheduler, mapped to those in the state.
  private final Map<String, String> names = new LinkedHashMap<>();

  SchedulerFit(
      SchedulerState state, Map<String, String> renaming, boolean recurrent, List<Drive> drives) {
    if (state.recurrent() != recurrent) {
      differences.add(
          state.recurrent()
              ? "the state is recurrent, but the scheduler is not"
              : "the state is not recurrent, but the scheduler is");
    }
    rename(state, renaming);
    Map<Hyperparameter, Map<String, SchedulerState.Drive>> left =
        new EnumMap<>(Hyperparameter.class);
    saved.forEach((key, value) -> left.put(key, new LinkedHashMap<>(value)));
    for (Drive drive : drives) {
      compare(drive, left.getOrDefault(drive.hyperparameter, new LinkedHashMap<>()));
    }
    left.forEach(
        (hyperparameter, byName) ->
            byName
                .keySet()
                .forEach(
                    name ->
                        differences.add(
                            "the scheduler does not drive %s of '%s'"
                                .formatted(hyperparameter, name))));
  }

  private void rename(SchedulerState state, Map<String, String> renaming) {
    Set<String> unknown = new TreeSet<>(renaming.keySet());
    Set<String> ambiguous = new TreeSet<>();
    for (SchedulerState.Drive drive : state.drives()) {
      Map<String, SchedulerState.Drive> byName =
          saved.computeIfAbsent(drive.hyperparameter(), key -> new LinkedHashMap<>());
      for (String old : drive.initial().keySet()) {
        unknown.remove(old);
        String name = renaming.getOrDefault(old, old);
        if (!names.computeIfAbsent(name, key -> old).equals(old)) {
          ambiguous.add(name);
        } else if (byName.put(name, drive) != null) {
          differences.add(
              "the state drives %s of '%s' twice".formatted(drive.hyperparameter(), name));
        }
      }
    }
    ambiguous.forEach(
        name -> differences.add("renaming gives two parameters the name '" + name + "'"));
    unknown.forEach(
        old -> differences.add("renaming names '" + old + "', which the state does not have"));
  }

  /// Compares one drive with the state and removes its parameters from `left`.
  private void compare(Drive drive, Map<String, SchedulerState.Drive> left) {
    SchedulerState.Drive common = null;
    String commonName = null;
    for (Drive.Target target : drive.targets) {
      Double initial = null;
      for (Parameter parameter : target.group.parameters()) {
        String name = parameter.name();
        String what = drive.hyperparameter + " of '" + name + "'";
        SchedulerState.Drive found = left.remove(name);
        if (found == null) {
          differences.add("the state does not drive " + what);
          continue;
        }
        if (!found.schedule().equals(drive.description)) {
          differences.add(
              "the state drives %s by %s, but the scheduler by %s"
                  .formatted(what, found.schedule(), drive.description));
        }
        double value = found.initial().get(names.get(name));
        if (initial != null && Double.compare(initial, value) != 0) {
          differences.add(
              "%s was initially %s, but %s for another parameter of its group"
                  .formatted(what, value, initial));
        }
        initial = value;
        if (common == null) {
          common = found;
          commonName = name;
          compareState(drive, found, what);
        } else if (!found.doubles().equals(common.doubles())
            || !found.longs().equals(common.longs())) {
          differences.add("%s has a different plateau state than '%s'".formatted(what, commonName));
        }
      }
      if (initial != null) {
        try {
          drive.hyperparameter.check(initial);
        } catch (IllegalArgumentException e) {
          differences.add("initially, " + e.getMessage());
        }
      }
    }
  }

  private void compareState(Drive drive, SchedulerState.Drive found, String what) {
    if (drive.plateau != null) {
      Plateau.addDifferences(differences, what, found.doubles(), found.longs());
    } else if (!found.doubles().isEmpty() || !found.longs().isEmpty()) {
      differences.add(
          what + " has the state of a plateau, but the scheduler drives it by a schedule");
    }
  }

  double initial(Drive.Target target) {
    String name = target.group.parameters().getFirst().name();
    return saved.get(target.hyperparameter).get(name).initial().get(names.get(name));
  }

  /// The saved drive with the state of a drive's plateau.
  SchedulerState.Drive of(Drive drive) {
    String name = drive.targets[0].group.parameters().getFirst().name();
    return saved.get(drive.hyperparameter).get(name);
  }
}
