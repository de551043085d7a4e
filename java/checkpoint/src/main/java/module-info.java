/// An optimizer's whole state in one safetensors file.
module dev.panoptim.checkpoint {
  requires transitive dev.panoptim;
  requires dev.panoptim.safetensors;
  requires tools.jackson.core;

  exports dev.panoptim.checkpoint;
}
