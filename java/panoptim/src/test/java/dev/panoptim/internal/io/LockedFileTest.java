package dev.panoptim.internal.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.panoptim.JavaProcess;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A [LockedFile] excludes other threads, processes and class loaders.
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LockedFileTest {
  @TempDir private Path folder;

  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("file");
  }

  @Test
  void theFileIsCreatedAndCanBeReadAndWritten() throws IOException {
    byte[] text = "text".getBytes();
    int written = LockedFile.use(file, channel -> channel.write(ByteBuffer.wrap(text), 0));
    assertEquals(text.length, written);
    assertEquals(4L, LockedFile.use(file, FileChannel::size));
    assertEquals("text", Files.readString(file));
  }

  /// A system that searches for deadlocks between processes would report one here.
  @Test
  void twoProcessesMayEachUseTwoFiles() throws Exception {
    String[] files = {file.toString(), folder.resolve("another").toString()};
    List<Process> running = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      running.add(
          JavaProcess.of(TwoFilesProbe.class, List.of(), files)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start());
    }
    for (Process each : running) {
      assertEquals(0, each.waitFor());
    }
  }

  @Test
  void aThreadThatHasTheFileIsRejected() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    LockedFile.use(
        file,
        channel -> {
          for (Path each : List.of(file, link, folder.resolve("./file"))) {
            var e =
                assertThrows(
                    IllegalStateException.class, () -> LockedFile.use(each, inner -> null));
            assertTrue(e.getMessage().contains("in use by this thread already"), e.getMessage());
          }
          // The failed attempt has not released the lock.
          requireLockedForOthers();
          return null;
        });
  }

  @Test
  void aThreadMayHaveSeveralFiles() throws IOException {
    Path other = folder.resolve("other");
    assertEquals(
        1, LockedFile.use(file, channel -> LockedFile.use(other, another -> 1)).intValue());
  }

  @Test
  void threadsTakeTurnsForEveryPathOfAFile() throws Exception {
    Files.createFile(file);
    List<Path> paths =
        List.of(
            file,
            Files.createSymbolicLink(folder.resolve("link"), file),
            Files.createLink(folder.resolve("hard"), file));
    AtomicInteger inside = new AtomicInteger();
    AtomicInteger uses = new AtomicInteger();
    try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        Path path = paths.get(i % paths.size());
        all.add(
            threads.submit(
                () ->
                    LockedFile.use(
                        path,
                        channel -> {
                          assertEquals(1, inside.incrementAndGet());
                          Thread.yield();
                          uses.incrementAndGet();
                          inside.decrementAndGet();
                          return null;
                        })));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
    assertEquals(300, uses.get());
  }

  @Test
  void locksOfOtherProcessesAreAwaited() throws Exception {
    Process other =
        JavaProcess.of(LockedFileProbe.class, List.of(), file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    AtomicBoolean entered = new AtomicBoolean();
    try {
      assertEquals('!', other.getInputStream().read());
      Thread waiting = startUse(entered);
      Thread.sleep(100);
      waiting.interrupt();
      Thread.sleep(100);
      assertFalse(entered.get());
      other.destroyForcibly().waitFor();
      waiting.join();
    } finally {
      other.destroyForcibly();
    }
    assertTrue(entered.get());
  }

  /// Another class loader with another version of these classes holds the lock.
  @Test
  void locksOfOtherCodeInThisProcessAreAwaited() throws Exception {
    AtomicBoolean entered = new AtomicBoolean();
    Thread waiting;
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertTrue(lock.isValid());
      waiting = startUse(entered);
      Thread.sleep(100);
      waiting.interrupt();
      Thread.sleep(100);
      assertFalse(entered.get());
    }
    waiting.join();
    assertTrue(entered.get());
  }

  private Thread startUse(AtomicBoolean entered) throws InterruptedException {
    CountDownLatch started = new CountDownLatch(1);
    Thread thread =
        Thread.ofPlatform()
            .start(
                () -> {
                  started.countDown();
                  try {
                    LockedFile.use(file, FileChannel::size);
                    entered.set(Thread.interrupted());
                  } catch (IOException e) {
                    throw new AssertionError(e);
                  }
                });
    started.await();
    return thread;
  }

  @Test
  void anInterruptedThreadTakesItsTurnAndStaysInterrupted() throws IOException {
    Thread.currentThread().interrupt();
    try {
      long size =
          LockedFile.use(
              file,
              channel -> {
                assertFalse(Thread.currentThread().isInterrupted());
                return channel.size();
              });
      assertEquals(0, size);
    } finally {
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void afterAFailureTheFileIsFree() throws IOException {
    assertThrows(
        IOException.class,
        () ->
            LockedFile.use(
                file,
                channel -> {
                  throw new IOException("no");
                }));
    assertThrows(
        NoSuchFileException.class,
        () -> LockedFile.use(folder.resolve("no").resolve("where"), channel -> null));
    assertEquals(0L, LockedFile.use(file, FileChannel::size));
  }

  private void requireLockedForOthers() {
    try {
      String output = JavaProcess.run(LockedFileProbe.class, List.of(), file.toString(), "try");
      assertTrue(output.contains("locked by another"), output);
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
