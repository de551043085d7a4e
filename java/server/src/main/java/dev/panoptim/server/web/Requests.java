package dev.panoptim.server.web;

import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

/// Counts requests.
final class Requests implements Filter {
  private final Counter counter;

  Requests(MeterRegistry registry) {
    counter =
        Counter.builder("server.requests").description("Requests of any kind").register(registry);
  }

  long count() {
    return (long) counter.count();
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    counter.increment();
    chain.proceed();
  }
}
