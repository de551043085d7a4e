/// API: the tensors of JavaCPP's PyTorch (`org.bytedeco:pytorch`) as parameters of optimizers. The
/// optimizers themselves are in `dev.panoptim`.
package dev.panoptim.javacpp;
