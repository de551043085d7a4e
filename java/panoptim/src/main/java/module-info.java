/// The optimizers of deep learning, over memory that Java owns off-heap.
@SuppressWarnings("module") // the modules that are named here are compiled later
module dev.panoptim {
  requires static jdk.incubator.vector;
  requires static jdk.jfr;

  exports dev.panoptim.backend;
  exports dev.panoptim.device;
  exports dev.panoptim.memory;
  exports dev.panoptim.metrics;
  exports dev.panoptim.optim;
  exports dev.panoptim.rows;
  exports dev.panoptim.rule;
  exports dev.panoptim.schedule;
  exports dev.panoptim.internal.checkpoint to
      dev.panoptim.checkpoint;
}
