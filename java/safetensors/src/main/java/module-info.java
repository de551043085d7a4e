/// The safetensors file format: named tensors in a file that is read by mapping it into memory.
///
/// [dev.panoptim.safetensors.SafetensorsFile] reads and
/// [dev.panoptim.safetensors.SafetensorsWriter] writes files of the format that
/// <https://github.com/huggingface/safetensors> describes and implements: 8 bytes with the length
/// of the header (little-endian), the header (JSON in UTF-8, which gives each tensor's type, shape
/// and place), and the tensors' bytes, one after the other without a gap, little-endian and
/// row-major.
@SuppressWarnings("module") // The module that the internal package is for comes later in the build.
module dev.panoptim.safetensors {
  requires tools.jackson.core;

  exports dev.panoptim.safetensors;
  exports dev.panoptim.safetensors.internal to
      dev.panoptim.checkpoint;
}
