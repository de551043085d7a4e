/// API: a DJL trainer whose steps are Panoptim's, on the memory of DJL's PyTorch engine.
package dev.panoptim.djl;
