package dev.panoptim.server.digits;

/// An image and the index of its class.
record Example(float[] pixels, int label) {}
