package dev.panoptim.server.web;

import dev.panoptim.checkpoint.CheckpointException;
import dev.panoptim.server.digits.BusyException;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpException;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerResponse;
import java.util.NoSuchElementException;
import java.util.concurrent.RejectedExecutionException;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Turns exceptions into answers with a sentence.
final class Failures {
  private static final Logger LOG = Logger.getLogger(Failures.class.getName());

  private Failures() {}

  static void register(HttpRouting.Builder routing) {
    routing
        .error(Refusal.class, (q, response, e) -> refuse(response, e.status(), e))
        .error(IllegalArgumentException.class, (q, response, e) -> refuse(response, Refusal.BAD, e))
        .error(CheckpointException.class, (q, response, e) -> refuse(response, Refusal.CONFLICT, e))
        .error(
            NoSuchElementException.class, (q, response, e) -> refuse(response, Refusal.CONFLICT, e))
        .error(BusyException.class, (q, response, e) -> refuse(response, Refusal.BUSY, e))
        .error(
            RejectedExecutionException.class, (q, response, e) -> refuse(response, Refusal.BUSY, e))
        .error(HttpException.class, (q, response, e) -> refuse(response, e.status().code(), e))
        .error(
            Throwable.class,
            (q, response, e) -> {
              LOG.log(Level.WARNING, "a request failed", e);
              Json.refuse(response, Refusal.FAILED, "the server failed; its log says why");
            });
  }

  private static void refuse(ServerResponse response, int status, Throwable e) {
    if (status == Refusal.TOO_LARGE) {
      // The rest of the body is not read.
      response.header(HeaderNames.CONNECTION, "close");
    }
    String sentence = e.getMessage();
    Json.refuse(response, status, sentence == null ? "the request was refused" : sentence);
  }
}
