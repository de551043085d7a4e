/// API: trains networks of Deeplearning4j with the optimizers of Panoptim, in place.
/// [PanoptimUpdater][dev.panoptim.dl4j.PanoptimUpdater] is the entry point.
package dev.panoptim.dl4j;
