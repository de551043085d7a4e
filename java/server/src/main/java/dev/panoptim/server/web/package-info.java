/// Internal: the HTTP server: endpoints, their checks, the live figures, and the page.
package dev.panoptim.server.web;
