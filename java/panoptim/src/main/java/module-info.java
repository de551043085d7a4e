/// The optimizers of deep learning, over memory that Java owns off-heap.
@SuppressWarnings("module") // the module that is named here is compiled later
module dev.panoptim {
  requires static jdk.incubator.vector;

  exports dev.panoptim.backend;
  exports dev.panoptim.device;
  exports dev.panoptim.internal.io to
      dev.panoptim.checkpoint;
  exports dev.panoptim.memory;
  exports dev.panoptim.optim;
  exports dev.panoptim.rule;
  exports dev.panoptim.schedule;
}
