/// API: optimizers for the tensors of JavaCPP's PyTorch.
module dev.panoptim.javacpp {
  requires transitive dev.panoptim;
  requires transitive org.bytedeco.pytorch;

  exports dev.panoptim.javacpp;
}
