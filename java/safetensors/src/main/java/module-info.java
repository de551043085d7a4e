/// API: reads and writes the safetensors file format, which stores named tensors in one file. Files
/// are read by mapping them into memory.
///
/// [dev.panoptim.safetensors.SafetensorsFile] reads and
/// [dev.panoptim.safetensors.SafetensorsWriter] writes the format that
/// <https://github.com/huggingface/safetensors> describes and implements. A file has three parts.
/// The first 8 bytes are the length of the header, little-endian. The header is JSON in UTF-8 with
/// the type, shape and place of each tensor. Then come the bytes of the tensors without gaps,
/// little-endian and row-major.
@SuppressWarnings("module") // The checkpoint module uses the internal package and is built later.
module dev.panoptim.safetensors {
  requires tools.jackson.core;

  exports dev.panoptim.safetensors;
  exports dev.panoptim.safetensors.internal to
      dev.panoptim.checkpoint;
}
