package dev.panoptim.server.web;

import io.helidon.http.HeaderNames;
import io.helidon.http.Method;
import io.helidon.webserver.http.Filter;
import io.helidon.webserver.http.FilterChain;
import io.helidon.webserver.http.RoutingRequest;
import io.helidon.webserver.http.RoutingResponse;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// Refuses requests that another site's page makes a browser send, and sets the headers that tell a
/// browser what the page may do.
///
/// A request must name this server by an address, as `localhost`, or by a name that was allowed:
/// another site can give its own name the address of this server. A write that names its origin
/// must come from this server.
final class Guard implements Filter {
  private static final Pattern ADDRESS =
      Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+]");
  private static final Pattern PORT = Pattern.compile(":\\d{1,5}$");
  private static final Set<Method> READS = Set.of(Method.GET, Method.HEAD);

  private final Set<String> names;

  /// @param names hosts by which the server may be called, in lower case
  Guard(Set<String> names) {
    this.names = Set.copyOf(names);
  }

  @Override
  public void filter(FilterChain chain, RoutingRequest request, RoutingResponse response) {
    response.header("Content-Security-Policy", POLICY);
    response.header("X-Content-Type-Options", "nosniff");
    response.header("Referrer-Policy", "no-referrer");
    response.header("Cross-Origin-Resource-Policy", "same-origin");
    response.header("Cross-Origin-Opener-Policy", "same-origin");
    String problem = problem(request);
    if (problem == null) {
      chain.proceed();
    } else {
      Json.refuse(response, Refusal.FOREIGN, problem);
    }
  }

  private static final String POLICY =
      "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

  /// A sentence; `null` if the request is welcome.
  private String problem(RoutingRequest request) {
    String authority =
        request.headers().first(HeaderNames.HOST).orElse("").toLowerCase(Locale.ROOT);
    String host = PORT.matcher(authority).replaceFirst("");
    if (!host.equals("localhost") && !names.contains(host) && !ADDRESS.matcher(host).matches()) {
      return "the server does not go by the name '%s'; --name allows it".formatted(host);
    }
    if (READS.contains(request.prologue().method())) {
      return null;
    }
    String origin = request.headers().first(HeaderNames.ORIGIN).orElse(null);
    if (origin != null && !origin.toLowerCase(Locale.ROOT).equals("http://" + authority)) {
      return "a page of %s must not write here".formatted(origin);
    }
    String site = request.headers().first(HeaderNames.create("Sec-Fetch-Site")).orElse("none");
    if (!site.equals("same-origin") && !site.equals("none")) {
      return "a page of another site must not write here";
    }
    return null;
  }
}
