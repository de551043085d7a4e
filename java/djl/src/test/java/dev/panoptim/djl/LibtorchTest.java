package dev.panoptim.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class LibtorchTest {
  @Test
  void aMissingFunctionIsTheReason() {
    assertEquals(
        "libtorch has no function aoti_torch_get_data_ptr",
        assertThrows(UnsupportedOperationException.class, () -> new Libtorch(_ -> Optional.empty()))
            .getMessage());
  }
}
