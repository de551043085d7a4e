/// Internal: files that several processes and class loaders lock, and access to files that an
/// interrupt does not break.
package dev.panoptim.internal.io;
