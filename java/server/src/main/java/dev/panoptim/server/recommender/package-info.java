/// Internal: a recommender that learns the changing tastes of simulated users.
package dev.panoptim.server.recommender;
