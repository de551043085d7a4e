package dev.panoptim.server.digits;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// The memory of all parameters of a network, or of their gradients, or of a published copy.
///
/// @param convolution for each place of the window, a weight of each channel
/// @param convolutionBias of each channel
/// @param hidden for each output of the convolution, a weight of each hidden unit
/// @param hiddenBias of each hidden unit
/// @param classes for each class, a weight of each hidden unit and a bias
record Weights(
    MemorySegment convolution,
    MemorySegment convolutionBias,
    MemorySegment hidden,
    MemorySegment hiddenBias,
    List<MemorySegment> classes) {}
