package dev.panoptim.internal.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Users other than the user that runs the tests. A command of another user requires root, or
/// `sudo` without a password.
final class OtherUsers {
  /// User numbers that have no name on any system.
  static final int ATTACKER = 54321;

  static final int VICTIM = 54322;

  private static final boolean IS_ROOT = UnixFile.ownUid() == 0;

  private OtherUsers() {}

  /// Skips the test if it cannot run commands as another user.
  static void assumeThere() {
    assumeTrue(
        succeeds(as(ATTACKER, List.of("true"))), "neither root nor sudo, or there is no setpriv");
  }

  /// Skips the test unless root runs it.
  static void assumeRoot() {
    assumeTrue(IS_ROOT, "not run by root");
  }

  /// The command line for another user.
  static List<String> as(int user, List<String> command) {
    List<String> all =
        new ArrayList<>(
            List.of("setpriv", "--reuid=" + user, "--regid=" + user, "--clear-groups", "--"));
    all.addAll(command);
    return asRoot(all);
  }

  /// Changes the owner of a file; of a link, not of its target.
  static void give(Path file, int user) throws IOException, InterruptedException {
    run("chown", "--no-dereference", Integer.toString(user), file.toString());
  }

  /// Removes files that may belong to other users.
  static void remove(Path directory) throws IOException, InterruptedException {
    run("rm", "-rf", directory.toString());
  }

  private static void run(String... command) throws IOException, InterruptedException {
    assertEquals(0, new ProcessBuilder(asRoot(List.of(command))).inheritIO().start().waitFor());
  }

  private static List<String> asRoot(List<String> command) {
    if (IS_ROOT) {
      return command;
    }
    List<String> all = new ArrayList<>(List.of("sudo", "-n"));
    all.addAll(command);
    return all;
  }

  private static boolean succeeds(List<String> command) {
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
