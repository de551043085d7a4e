/// API: saves and loads a training: parameters, states, hyperparameters, the position of a
/// scheduler, and strings of the user, in one safetensors file.
///
/// [CheckpointFolder][dev.panoptim.checkpoint.CheckpointFolder] writes and
/// [Checkpoint][dev.panoptim.checkpoint.Checkpoint] verifies and loads. What an optimizer needs to
/// continue is decided by [StateDict][dev.panoptim.optim.StateDict], not here; bytes of the file
/// format are in `dev.panoptim.safetensors`.
package dev.panoptim.checkpoint;
