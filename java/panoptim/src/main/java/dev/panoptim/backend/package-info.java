/// API: which implementation carries out steps, and whose threads help:
/// [Backends][dev.panoptim.backend.Backends] chooses a [Backend][dev.panoptim.backend.Backend]. How
/// they work is below `dev.panoptim.internal`.
package dev.panoptim.backend;
