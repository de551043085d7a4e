package dev.panoptim.internal.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The default limit in the file systems of containers and hosts.
class SystemMemoryLimitTest {
  private static final long GIB = 1L << 30;
  private static final String V2 =
      "30 24 0:26 / /sys/fs/cgroup ro,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
  private static final String V1 =
      "33 25 0:29 %s /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
          + "34 25 0:30 %s /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu\n";

  @TempDir private Path root;

  @BeforeEach
  void machine() throws IOException {
    write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:  1 kB\n");
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private static long of(long allowed, long heap) {
    return allowed - allowed / 16 - heap;
  }

  private long limit(long heap) {
    return SystemMemoryLimit.of(root, heap);
  }

  @Test
  void withoutGroupsTheMachineIsTheLimit() {
    assertEquals(of(16 * GIB, 4 * GIB), limit(4 * GIB));
  }

  @Test
  void withoutASystemLimitThereIsNoLimit() throws IOException {
    Files.delete(root.resolve("proc/meminfo"));
    assertEquals(Long.MAX_VALUE, limit(GIB));
    write("proc/meminfo", "MemTotal: much\n");
    assertEquals(Long.MAX_VALUE, limit(GIB));
  }

  @Test
  void inAContainerOfVersion2TheLimitIsTheContainers() throws IOException {
    write("proc/self/cgroup", "0::/\n");
    write("proc/self/mountinfo", V2);
    write("sys/fs/cgroup/memory.max", 2 * GIB + "\n");
    assertEquals(of(2 * GIB, GIB / 2), limit(GIB / 2));
    write("sys/fs/cgroup/memory.max", "max\n");
    assertEquals(of(16 * GIB, GIB), limit(GIB));
  }

  @Test
  void aGroupIsAlsoLimitedByItsParents() throws IOException {
    write("proc/self/cgroup", "12:pids:/x\n0::/system.slice/a:b.service\n");
    write("proc/self/mountinfo", V2);
    write("sys/fs/cgroup/system.slice/a:b.service/memory.max", 8 * GIB + "\n");
    assertEquals(of(8 * GIB, GIB), limit(GIB));
    write("sys/fs/cgroup/system.slice/memory.max", 4 * GIB + "\n");
    assertEquals(of(4 * GIB, GIB), limit(GIB));
    write("sys/fs/cgroup/system.slice/a:b.service/memory.max", 2 * GIB + "\n");
    assertEquals(of(2 * GIB, GIB), limit(GIB));
  }

  @Test
  void version1IsKnownToo() throws IOException {
    write("proc/self/cgroup", "5:cpu:/y\n4:blkio,memory:/jobs/1\n0::/\n");
    write("proc/self/mountinfo", V1.formatted("/", "/"));
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/jobs/1/memory.limit_in_bytes", 3 * GIB + "\n");
    write("sys/fs/cgroup/cpu/y/memory.limit_in_bytes", "1\n");
    assertEquals(of(3 * GIB, GIB), limit(GIB));
  }

  /// Docker mounts only the group itself, but names the group as the host does.
  @Test
  void inAContainerOfVersion1TheMountIsTheGroup() throws IOException {
    write("proc/self/cgroup", "4:memory:/docker/abc/inner\n");
    write("proc/self/mountinfo", V1.formatted("/docker/abc", "/docker/abc"));
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", 5 * GIB + "\n");
    assertEquals(of(5 * GIB, GIB), limit(GIB));
    write("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", 4 * GIB + "\n");
    assertEquals(of(4 * GIB, GIB), limit(GIB));
    write("proc/self/cgroup", "4:memory:/elsewhere\n");
    assertEquals(of(5 * GIB, GIB), limit(GIB));
    write("proc/self/cgroup", "4:memory:/docker/abc/../../../..\n");
    assertEquals(of(5 * GIB, GIB), limit(GIB));
  }

  @Test
  void aHeapWithoutLimitLeavesAQuarter() throws IOException {
    assertEquals(4 * GIB, limit(16 * GIB));
    assertEquals(4 * GIB, limit(Long.MAX_VALUE));
    assertEquals(4 * GIB, limit(11 * GIB + GIB / 2));
    assertEquals(of(16 * GIB, 10 * GIB), limit(10 * GIB));
  }

  @Test
  void malformedFilesAreIgnored() throws IOException {
    write("proc/self/cgroup", "\n:\n0::\n4:memory\nx:memory:\0\n0::relative\n");
    write("proc/self/mountinfo", "\n - \n1 2 3 4 5 - cgroup2\n" + V2 + " - cgroup2 a b\n");
    write("sys/fs/cgroup/memory.max", "-1\n");
    assertEquals(of(16 * GIB, GIB), limit(GIB));
    write("sys/fs/cgroup/memory.max", "");
    assertEquals(of(16 * GIB, GIB), limit(GIB));
    write("sys/fs/cgroup/memory.max", 2 * GIB + "\n");
    assertEquals(of(2 * GIB, GIB), limit(GIB));
  }

  @Test
  void thisMachineHasALimit() {
    assertTrue(SystemMemoryLimit.of(Path.of("/"), Runtime.getRuntime().maxMemory()) > 0);
  }
}
