package dev.panoptim.checkpoint;

import dev.panoptim.optim.StateDict;
import dev.panoptim.rule.Hyperparameter;
import dev.panoptim.rule.Rule;
import dev.panoptim.schedule.SchedulerState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The part of a checkpoint that is not tensors. It is stored as JSON in the file's metadata.
///
/// @param version the version of Panoptim that wrote the checkpoint
/// @param step the step that was given to the save
/// @param parameters the parameters by name, with their rules and without their states
/// @param scheduler the scheduler's state, if there is one
/// @param extras the user's strings
record TrainingDocument(
    String version,
    long step,
    Map<String, StateDict.ParameterState> parameters,
    Optional<SchedulerState> scheduler,
    Map<String, String> extras) {
  /// The version of the file format. It rises when older versions of Panoptim cannot read new
  /// files. Files of older formats can still be read.
  private static final long FORMAT = 4;

  /// The format in which the rule's field `nesterov` was named `lookAhead`.
  private static final long LOOK_AHEAD_FORMAT = 1;

  /// The last format with one `rule` of all parameters. A parameter had a field `momentumProduct`,
  /// under every rule, instead of `scalars`.
  private static final long ONE_RULE_FORMAT = 3;

  private static final Map<String, Hyperparameter> BY_LABEL =
      Arrays.stream(Hyperparameter.values())
          .collect(Collectors.toMap(Hyperparameter::label, each -> each));

  String toJson() {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("format", FORMAT);
    json.put("version", version);
    json.put("step", step);
    Map<String, StateDict.ParameterState> sorted = new TreeMap<>(parameters);
    Map<Rule, Integer> rules = new LinkedHashMap<>();
    sorted.values().forEach(state -> rules.putIfAbsent(state.rule(), rules.size()));
    json.put("rules", rules.keySet().stream().map(RuleDocument::toJson).toList());
    Map<String, Object> all = new LinkedHashMap<>();
    sorted.forEach((name, state) -> all.put(name, toJson(state, rules.get(state.rule()))));
    json.put("parameters", all);
    scheduler.ifPresent(state -> json.put("scheduler", toJson(state)));
    json.put("extras", new TreeMap<>(extras));
    return Json.write(json);
  }

  /// @throws IllegalArgumentException if the text was not written by [#toJson]; the message says
  ///   why
  static TrainingDocument parse(String json) {
    Fields fields = new Fields("training", Json.read(json));
    long format = fields.integer("format");
    if (format < 1 || format > FORMAT) {
      throw new IllegalArgumentException(
          "training.format is %s, but this version of Panoptim reads only formats 1 to %s"
              .formatted(format, FORMAT));
    }
    List<Rule> rules = rules(fields, format);
    Optional<SchedulerState> scheduler =
        fields.has("scheduler")
            ? Optional.of(scheduler(fields.object("scheduler")))
            : Optional.empty();
    TrainingDocument document =
        new TrainingDocument(
            fields.text("version"),
            fields.integer("step"),
            fields
                .object("parameters")
                .all((where, value) -> parameter(where, value, rules, format)),
            scheduler,
            fields.texts("extras"));
    fields.end();
    return document;
  }

  private static List<Rule> rules(Fields fields, long format) {
    if (format <= ONE_RULE_FORMAT) {
      return List.of(RuleDocument.parse(fields.object("rule"), part -> ruleField(part, format)));
    }
    List<Rule> rules = new ArrayList<>();
    for (Object each : fields.list("rules")) {
      Fields rule = new Fields("training.rules[" + rules.size() + "]", each);
      rules.add(RuleDocument.parse(rule, part -> part));
    }
    return rules;
  }

  /// The name that a part of the rule has in files of a format.
  private static String ruleField(String part, long format) {
    return part.equals("nesterov") && format == LOOK_AHEAD_FORMAT ? "lookAhead" : part;
  }

  /// @param rule the place of the parameter's rule among the rules
  private static Map<String, Object> toJson(StateDict.ParameterState state, int rule) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("rule", (long) rule);
    json.put("size", state.size());
    if (state.shape().size() != 1) {
      json.put("shape", state.shape());
    }
    json.put("steps", state.steps());
    json.put("scalars", new TreeMap<>(state.scalars()));
    Map<String, Object> values = new LinkedHashMap<>();
    new TreeMap<>(state.hyperparameters())
        .forEach((name, value) -> values.put(name.label(), value));
    json.put("hyperparameters", values);
    return json;
  }

  private static StateDict.ParameterState parameter(
      String where, Object value, List<Rule> rules, long format) {
    Fields fields = new Fields(where, value);
    long place = format <= ONE_RULE_FORMAT ? 0 : fields.integer("rule");
    if (place < 0 || place >= rules.size()) {
      throw new IllegalArgumentException(
          "%s.rule is %s, but must be the place of one of the %s rules"
              .formatted(where, place, rules.size()));
    }
    Rule rule = rules.get((int) place);
    long size = fields.integer("size");
    if (size < 0) {
      throw new IllegalArgumentException(where + ".size is " + size + ", but must be 0 or more");
    }
    List<Long> shape = fields.has("shape") ? fields.longs("shape") : List.of(size);
    Map<Hyperparameter, Double> values = new EnumMap<>(Hyperparameter.class);
    fields
        .numbers("hyperparameters")
        .forEach((label, number) -> values.put(hyperparameter(where, label), number));
    StateDict.ParameterState state =
        new StateDict.ParameterState(
            rule, shape, fields.integer("steps"), scalars(fields, rule, format), values, Map.of());
    fields.end();
    if (state.size() != size) {
      throw new IllegalArgumentException(
          "%s.shape is %s, but must have %s elements".formatted(where, shape, size));
    }
    return state;
  }

  private static Map<String, Double> scalars(Fields fields, Rule rule, long format) {
    if (format > ONE_RULE_FORMAT) {
      return fields.numbers("scalars");
    }
    double product = fields.number(Rule.MOMENTUM_PRODUCT);
    return rule.scalarNames().contains(Rule.MOMENTUM_PRODUCT)
        ? Map.of(Rule.MOMENTUM_PRODUCT, product)
        : Map.of();
  }

  private static Hyperparameter hyperparameter(String where, String label) {
    Hyperparameter found = BY_LABEL.get(label);
    if (found == null) {
      throw new IllegalArgumentException(
          "%s has the hyperparameter '%s', but must have only %s"
              .formatted(where, label, new TreeMap<>(BY_LABEL).keySet()));
    }
    return found;
  }

  private static Map<String, Object> toJson(SchedulerState state) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("position", state.position());
    json.put("recurrent", state.recurrent());
    json.put("drives", state.drives().stream().map(TrainingDocument::toJson).toList());
    return json;
  }

  private static Map<String, Object> toJson(SchedulerState.Drive drive) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("hyperparameter", drive.hyperparameter().label());
    json.put("schedule", drive.schedule());
    json.put("initial", drive.initial());
    json.put("doubles", drive.doubles());
    json.put("longs", drive.longs());
    return json;
  }

  private static SchedulerState scheduler(Fields fields) {
    List<SchedulerState.Drive> drives = new ArrayList<>();
    for (Object each : fields.list("drives")) {
      String where = "training.scheduler.drives[" + drives.size() + "]";
      Fields drive = new Fields(where, each);
      drives.add(
          new SchedulerState.Drive(
              hyperparameter(where, drive.text("hyperparameter")),
              drive.text("schedule"),
              drive.numbers("initial"),
              drive.numbers("doubles"),
              drive.integers("longs")));
      drive.end();
    }
    SchedulerState state =
        new SchedulerState(fields.integer("position"), fields.truth("recurrent"), drives);
    fields.end();
    return state;
  }
}
