/// API: saves the whole state of an optimizer to one safetensors file, and loads it again.
module dev.panoptim.checkpoint {
  requires transitive dev.panoptim;
  requires dev.panoptim.safetensors;
  requires tools.jackson.core;

  exports dev.panoptim.checkpoint;
}
