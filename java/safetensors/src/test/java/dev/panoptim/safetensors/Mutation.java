package dev.panoptim.safetensors;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Damages a file at random: parts of its JSON if they exist, else any bytes.
final class Mutation {
  private static final Pattern NUMBER = Pattern.compile("\\d+");
  private static final Pattern STRING = Pattern.compile("\"[^\"]*\"");
  private static final Pattern VALUE = Pattern.compile("\\[[^\\]]*]|\"[^\"]*\"|\\{[^{}]*}");
  private static final Pattern MEMBER = Pattern.compile("\"[^\"]*\":(\\[[^]]*]|\"[^\"]*\")");
  private static final Pattern TENSOR = Pattern.compile("\"[^\"]*\":\\{[^{}]*}");

  private static final String[] NUMBERS = {
    "0",
    "1",
    "2",
    "3",
    "4",
    "7",
    "8",
    "16",
    "-1",
    "-0",
    "00",
    "1.5",
    "1e400",
    "2147483648",
    "4294967296",
    "1152921504606846976",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "null",
    "[1]"
  };

  private static final String[] STRINGS = {
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"__metadata__\"",
    "\"\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\u0000\"",
    "\"\ud83d\ude00\"",
    "\"\uffff\"",
    "\"F4\"",
    "\"F6_E2M3\"",
    "\"F32\"",
    "\"U8\"",
    "\"I8\"",
    "\"BOOL\"",
    "\"I64\"",
    "\"x\"",
    "null",
    "1",
    "[]",
    "{}"
  };

  private static final String[] SCRAPS = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "-",
    ".",
    "e",
    "0",
    " ",
    "\n",
    "\t",
    "\u0000",
    "\u001f",
    "\ufeff",
    "\u2028",
    "/*",
    "//",
    "[[[[[[[[",
    "{\"a\":",
    "null",
    "true",
    "NaN",
    ",,",
    "\"__metadata__\":{\"a\":\"b\"},",
    "\"q\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
  };

  private final SplittableRandom random;

  Mutation(long seed) {
    random = new SplittableRandom(seed);
  }

  byte[] of(List<byte[]> seeds) {
    byte[] file = seeds.get(random.nextInt(seeds.size()));
    if (random.nextInt(4) != 0) {
      int headerEnd = Long.BYTES + (int) MemorySegment.ofArray(file).get(Header.LENGTH, 0);
      String header = new String(file, Long.BYTES, headerEnd - Long.BYTES, StandardCharsets.UTF_8);
      byte[] data = Arrays.copyOfRange(file, headerEnd, file.length);
      for (int i = random.nextInt(1, 4); i > 0; i--) {
        header = mutated(header);
      }
      if (random.nextInt(8) == 0) {
        data = Arrays.copyOf(data, random.nextInt(data.length + 9));
      }
      file = TestFiles.file(header.getBytes(StandardCharsets.UTF_8), data);
    }
    for (int i = random.nextInt(8) - 4; i > 0; i--) {
      file = mutated(file);
    }
    return file;
  }

  private String mutated(String header) {
    return switch (random.nextInt(11)) {
      case 0, 1 -> replaced(header, NUMBER, any(NUMBERS));
      case 2 -> replaced(header, STRING, any(STRINGS));
      case 3 -> replaced(header, VALUE, any(SCRAPS));
      case 4 -> removed(header, MEMBER);
      case 5 -> repeated(header, MEMBER);
      case 6 -> repeated(header, TENSOR);
      case 7 -> removed(header, TENSOR);
      case 8 -> swapped(header, NUMBER);
      case 9 -> swapped(header, TENSOR);
      default -> {
        int at = random.nextInt(header.length() + 1);
        yield header.substring(0, at) + any(SCRAPS) + header.substring(at);
      }
    };
  }

  private byte[] mutated(byte[] file) {
    byte[] changed = file.clone();
    int at = random.nextInt(Math.max(1, file.length));
    switch (random.nextInt(5)) {
      case 0 -> {
        return Arrays.copyOf(file, at);
      }
      case 1 -> {
        return Arrays.copyOf(file, file.length + random.nextInt(1, 20));
      }
      case 2 -> {
        if (at < file.length) {
          changed[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
        }
      }
      case 3 -> {
        if (at < file.length) {
          changed[at] = (byte) random.nextInt();
        }
      }
      default -> {
        if (file.length >= Long.BYTES) {
          int index = random.nextInt(Long.BYTES);
          changed[index] += (byte) random.nextInt(-9, 10);
        }
      }
    }
    return changed;
  }

  private String any(String[] all) {
    return all[random.nextInt(all.length)];
  }

  /// @return a random match, or `null` if there is none
  private MatchResult any(String text, Pattern pattern) {
    Matcher matcher = pattern.matcher(text);
    List<MatchResult> matches = matcher.results().toList();
    return matches.isEmpty() ? null : matches.get(random.nextInt(matches.size()));
  }

  private String replaced(String text, Pattern pattern, String by) {
    MatchResult match = any(text, pattern);
    return match == null
        ? text
        : text.substring(0, match.start()) + by + text.substring(match.end());
  }

  /// Removes a random match, and usually the comma after it.
  private String removed(String text, Pattern pattern) {
    MatchResult match = any(text, pattern);
    if (match == null) {
      return text;
    }
    int end = match.end();
    boolean comma = end < text.length() && text.charAt(end) == ',' && random.nextInt(4) != 0;
    return text.substring(0, match.start()) + text.substring(comma ? end + 1 : end);
  }

  private String repeated(String text, Pattern pattern) {
    MatchResult match = any(text, pattern);
    return match == null
        ? text
        : text.substring(0, match.start()) + match.group() + "," + text.substring(match.start());
  }

  private String swapped(String text, Pattern pattern) {
    MatchResult one = any(text, pattern);
    MatchResult two = any(text, pattern);
    if (one == null || one.start() == two.start()) {
      return text;
    }
    MatchResult left = one.start() < two.start() ? one : two;
    MatchResult right = left == one ? two : one;
    return text.substring(0, left.start())
        + right.group()
        + text.substring(left.end(), right.start())
        + left.group()
        + text.substring(right.end());
  }
}
