package dev.panoptim.server.web;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Requests whose `Host` an ordinary client would not send.
class GuardTest {
  private static final int LONGEST_MILLIS = 5000;

  @Test
  void onlyKnownNamesAreServed(@TempDir Path folder) throws IOException {
    try (Running running = new Running(0, folder)) {
      int port = running.server.port();
      for (String host : new String[] {"localhost", "127.0.0.1", "[::1]", "known.example"}) {
        assertStatus(port, host + ":" + port, 200);
      }
      for (String host : new String[] {"evil.example", "127.0.0.1.evil.example", "x"}) {
        assertStatus(port, host + ":" + port, 403);
      }
    }
  }

  private static void assertStatus(int port, String host, int status) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket
          .getOutputStream()
          .write(
              "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
                  .formatted(host)
                  .getBytes(StandardCharsets.US_ASCII));
      socket.setSoTimeout(LONGEST_MILLIS);
      String answer =
          new BufferedReader(
                  new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))
              .readLine();
      assertTrue(answer.startsWith("HTTP/1.1 " + status), host + ": " + answer);
    }
  }
}
