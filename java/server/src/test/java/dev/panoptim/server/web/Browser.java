package dev.panoptim.server.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.Rectangle;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.support.ui.WebDriverWait;

/// A headless Chromium of this machine. The system properties `chromium` and `chromedriver` name
/// the programs, if they are not at the usual paths. Where there are none, the test is skipped.
final class Browser implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final ChromeDriver driver;

  /// @param profile an empty folder
  Browser(Path profile) {
    Path chromium =
        program(
            "chromium", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome");
    Path chromedriver =
        program("chromedriver", "/usr/bin/chromedriver", "/usr/lib/chromium-browser/chromedriver");
    ChromeOptions options = new ChromeOptions();
    options.setBinary(chromium.toFile());
    options.addArguments(
        "--headless",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--user-data-dir=" + profile);
    if (System.getProperty("user.name").equals("root")) {
      // Chromium's sandbox refuses to run as root.
      options.addArguments("--no-sandbox");
    }
    driver =
        new ChromeDriver(
            new ChromeDriverService.Builder()
                .usingDriverExecutable(chromedriver.toFile())
                .usingAnyFreePort()
                .build(),
            options);
  }

  private static Path program(String property, String... usual) {
    String named = System.getProperty(property);
    List<Path> candidates =
        (named == null ? List.of(usual) : List.of(named)).stream().map(Path::of).toList();
    Path found = candidates.stream().filter(Files::isExecutable).findFirst().orElse(null);
    Assumptions.assumeTrue(
        found != null, () -> "none of " + candidates + " is there; -D" + property + " names it");
    return found;
  }

  WebElement element(String id) {
    return driver.findElement(By.id(id));
  }

  /// The text that an element shows.
  String text(String id) {
    return element(id).getText();
  }

  void awaitTrue(String what, BooleanSupplier condition) {
    new WebDriverWait(driver, PATIENCE)
        .withMessage(what)
        .until(ignored -> condition.getAsBoolean());
  }

  /// Draws on the pad with the mouse.
  ///
  /// @param points x and y in turn, from 0 to 1
  void draw(double... points) {
    WebElement pad = element("pad");
    Rectangle place = pad.getRect();
    Actions actions = new Actions(driver, Duration.ofMillis(20));
    for (int i = 0; i < points.length; i += 2) {
      // Offsets count from the middle of the element.
      actions.moveToElement(
          pad,
          (int) Math.round((points[i] - 0.5) * place.width),
          (int) Math.round((points[i + 1] - 0.5) * place.height));
      if (i == 0) {
        actions.clickAndHold();
      }
    }
    actions.release().perform();
  }

  void resize(int width, int height) {
    driver.manage().window().setSize(new Dimension(width, height));
  }

  /// Writes a picture of the whole page.
  ///
  /// @param mobile whether to emulate the viewport of a phone
  void picture(String name, int width, int height, boolean mobile) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", mobile));
    try {
      Path folder = Files.createDirectories(Path.of("target", "screenshots"));
      driver.executeScript("window.scrollTo(0, 0); document.activeElement?.blur()");
      // Charts are drawn when the next figures come.
      Thread.sleep(600);
      Files.write(folder.resolve(name + ".png"), driver.getScreenshotAs(OutputType.BYTES));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    driver.quit();
  }
}
