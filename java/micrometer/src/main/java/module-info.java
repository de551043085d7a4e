/// API: publishes the counts of the optimizers as Micrometer meters.
@SuppressWarnings("requires-transitive-automatic") // Micrometer has no module of its own.
module dev.panoptim.micrometer {
  requires transitive dev.panoptim;
  requires transitive micrometer.core;

  exports dev.panoptim.micrometer;
}
