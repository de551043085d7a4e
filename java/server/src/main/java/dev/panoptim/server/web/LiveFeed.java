package dev.panoptim.server.web;

import java.io.UncheckedIOException;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Makes a text four times a second, and hands each to all readers that wait for it.
///
/// Thread-safe.
final class LiveFeed implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(LiveFeed.class.getName());

  private static final long PERIOD_MILLIS = 250;

  private final Supplier<String> source;
  private final Thread thread = Thread.ofPlatform().name("live figures").unstarted(this::tick);
  private String newest;
  private long number;
  private boolean closed;

  LiveFeed(Supplier<String> source) {
    this.source = source;
    newest = source.get();
    thread.setDaemon(true);
    thread.start();
  }

  /// A numbered text.
  record Numbered(long number, String text) {}

  private void tick() {
    boolean failed = false;
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        try {
          publish(source.get());
          failed = false;
        } catch (UncheckedIOException e) {
          // Readers wait for the next text.
          if (!failed) {
            LOG.log(Level.WARNING, "the live figures cannot be read", e);
          }
          failed = true;
        }
      }
    } catch (InterruptedException e) {
      // close() interrupts this thread.
    } finally {
      end();
    }
  }

  private synchronized void publish(String text) {
    newest = text;
    number++;
    notifyAll();
  }

  private synchronized void end() {
    closed = true;
    notifyAll();
  }

  synchronized Numbered newest() {
    return new Numbered(number, newest);
  }

  /// Waits for a text after the given number; `null` once the feed has ended.
  synchronized Numbered after(long last) throws InterruptedException {
    while (number <= last && !closed) {
      wait();
    }
    return closed ? null : newest();
  }

  @Override
  public void close() {
    thread.interrupt();
    end();
  }
}
