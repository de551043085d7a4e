/// The counts of the optimizers as meters of Micrometer.
@SuppressWarnings("requires-transitive-automatic") // Micrometer has no module of its own.
module dev.panoptim.micrometer {
  requires transitive dev.panoptim;
  requires transitive micrometer.core;

  exports dev.panoptim.micrometer;
}
