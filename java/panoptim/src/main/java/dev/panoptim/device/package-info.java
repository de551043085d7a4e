/// API: where memory lies: [Device][dev.panoptim.device.Device] is the CPU or a GPU, with its
/// memory, streams and events. Steps on a GPU are in `dev.panoptim.internal.cuda`.
package dev.panoptim.device;
