package dev.panoptim.server.web;

import io.helidon.http.Method;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRules;

/// One method of one path; every other method of the path is refused.
final class Endpoints {
  private Endpoints() {}

  static void get(HttpRules rules, String path, Handler handler) {
    rules.get(path, handler).any(path, only(Method.GET));
  }

  static void post(HttpRules rules, String path, Handler handler) {
    rules.post(path, handler).any(path, only(Method.POST));
  }

  static Handler only(Method method) {
    return (request, response) -> {
      response.header("Allow", method.text());
      throw new Refusal(
          Refusal.WRONG_METHOD,
          "the method is %s, but must be %s"
              .formatted(request.prologue().method().text(), method.text()));
    };
  }
}
