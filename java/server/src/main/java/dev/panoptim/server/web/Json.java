package dev.panoptim.server.web;

import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// JSON of answers.
final class Json {
  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String TYPE = "application/json";

  private Json() {}

  static void send(ServerResponse response, Object value) {
    send(response, MAPPER.writeValueAsBytes(value));
  }

  /// @param json a finished text
  static void sendText(ServerResponse response, String json) {
    send(response, json.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(ServerResponse response, byte[] json) {
    response
        .header(HeaderNames.CONTENT_TYPE, TYPE)
        .header(HeaderNames.CACHE_CONTROL, "no-store")
        .send(json);
  }

  static void refuse(ServerResponse response, int status, String sentence) {
    response.status(status);
    send(response, Map.of("error", sentence));
  }
}
