/// Internal: the methods of devices and streams that steps need and the API does not have.
package dev.panoptim.internal.device;
