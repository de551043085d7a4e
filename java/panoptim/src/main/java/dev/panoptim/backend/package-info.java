/// API: the implementation and the threads of steps. [Backends][dev.panoptim.backend.Backends]
/// selects a [Backend][dev.panoptim.backend.Backend]. The implementations are below
/// `dev.panoptim.internal`.
package dev.panoptim.backend;
