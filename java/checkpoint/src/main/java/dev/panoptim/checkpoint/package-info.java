/// API: saves and loads a training: parameters, states, hyperparameters, the position of a
/// scheduler, and strings of the user, in one safetensors file.
///
/// [CheckpointFolder][dev.panoptim.checkpoint.CheckpointFolder] writes and
/// [Checkpoint][dev.panoptim.checkpoint.Checkpoint] verifies and loads.
/// [StateDict][dev.panoptim.optim.StateDict] defines the state that an optimizer needs to continue.
/// [TableCheckpoint][dev.panoptim.checkpoint.TableCheckpoint] saves and loads tables of rows.
/// `dev.panoptim.safetensors` reads and writes the bytes of the file format.
package dev.panoptim.checkpoint;
