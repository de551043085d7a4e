package dev.panoptim.server.web;

import io.helidon.http.sse.SseEvent;
import io.helidon.webserver.http.HttpRules;
import io.helidon.webserver.http.HttpService;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.sse.SseSink;
import java.io.UncheckedIOException;
import java.util.concurrent.Semaphore;

/// The live figures: once, or as server-sent events.
final class LiveEndpoint implements HttpService {
  /// Readers at the same time; more are refused.
  static final int MOST_READERS = 64;

  private final LiveFeed feed;
  private final Semaphore places = new Semaphore(MOST_READERS);

  LiveEndpoint(LiveFeed feed) {
    this.feed = feed;
  }

  @Override
  public void routing(HttpRules rules) {
    Endpoints.get(rules, "/live", this::stream);
    Endpoints.get(
        rules, "/state", (request, response) -> Json.sendText(response, feed.newest().text()));
  }

  private void stream(ServerRequest request, ServerResponse response) throws InterruptedException {
    if (!places.tryAcquire()) {
      throw new Refusal(Refusal.BUSY, "%s readers get figures already".formatted(MOST_READERS));
    }
    try (SseSink sink = response.sink(SseSink.TYPE)) {
      for (LiveFeed.Numbered next = feed.newest(); next != null; next = feed.after(next.number())) {
        sink.emit(SseEvent.create(next.text()));
      }
    } catch (UncheckedIOException e) {
      // The reader has gone.
    } finally {
      places.release();
    }
  }
}
