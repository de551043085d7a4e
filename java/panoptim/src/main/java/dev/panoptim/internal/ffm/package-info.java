/// Internal: the native backend. It writes the tables that C++ reads, makes the downcalls, and
/// manages the OpenMP team. The formulas are in `native/src/rule`.
package dev.panoptim.internal.ffm;
