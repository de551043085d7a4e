/// Internal: what the module dev.panoptim.checkpoint uses of this module beside its API.
package dev.panoptim.internal.checkpoint;
