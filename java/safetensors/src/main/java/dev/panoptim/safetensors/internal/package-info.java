/// Internal: file operations that this module shares with the checkpoint module alone: opening
/// regular files safely, and reading and writing that an interrupt does not break.
package dev.panoptim.safetensors.internal;
