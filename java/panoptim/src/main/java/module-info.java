/// The optimizers of deep learning, over memory that Java owns off-heap.
module dev.panoptim {
  requires static jdk.incubator.vector;

  exports dev.panoptim.backend;
  exports dev.panoptim.device;
  exports dev.panoptim.memory;
  exports dev.panoptim.optim;
  exports dev.panoptim.rule;
  exports dev.panoptim.schedule;
}
