/// Internal: methods of devices and streams that steps need and that are not part of the API.
package dev.panoptim.internal.device;
