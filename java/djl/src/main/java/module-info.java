/// API: trains DJL's models with the optimizers of Panoptim.
@SuppressWarnings("requires-transitive-automatic") // DJL has no modules of its own.
module dev.panoptim.djl {
  requires transitive ai.djl.api;
  requires ai.djl.pytorch_engine;
  requires transitive dev.panoptim;

  exports dev.panoptim.djl;
}
