package dev.panoptim.server.web;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.logging.Level;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;

/// The page in a browser.
@Tag("browser")
class PageTest {
  private static final double[] SEVEN = {.2, .15, .5, .15, .8, .15, .65, .45, .5, .7, .4, .9};

  @TempDir Path folder;

  @Test
  void aDigitIsDrawnPredictedAndTaught() throws InterruptedException {
    try (Running running = new Running(500, folder.resolve("checkpoints"));
        Browser browser = new Browser(folder.resolve("profile"))) {
      browser.resize(1300, 1000);
      browser.driver.get(running.address());
      browser.awaitTrue("connection", () -> browser.text("connection").equals("connected"));

      browser.draw(SEVEN);
      browser.awaitTrue("a seven is recognised", () -> browser.text("best").equals("7"));
      assertTrue(share(browser, "7") > 50, "share of 7 is " + share(browser, "7"));

      browser.picture("digits-light", 1300, 940, false);

      double before = share(browser, "2");
      long steps = running.service.learner().steps();
      for (int i = 0; i < 3; i++) {
        long expected = steps + i + 1;
        teach(browser, "2");
        browser.awaitTrue("a step", () -> running.service.learner().steps() == expected);
        browser.awaitTrue("an answer", () -> browser.text("lesson").startsWith("One step"));
      }
      browser.awaitTrue("the share of 2 has grown", () -> share(browser, "2") > before);

      browser.element("new-label").sendKeys("star", Keys.ENTER);
      browser.awaitTrue("the new symbol", () -> running.service.model().labels().contains("star"));
      browser.awaitTrue(
          "its row", () -> browser.driver.findElements(By.cssSelector(".class")).size() == 11);

      browser.element("theme").click();
      assertEquals(
          "dark", browser.driver.findElement(By.tagName("html")).getDomAttribute("data-theme"));
      browser.element("users-running").click();
      browser.awaitTrue("users draw", () -> running.service.scores().judged() > 300);
      browser.picture("digits-dark-users", 1300, 940, false);
      browser.picture("digits-dark-phone", 390, 1500, true);
      browser.element("theme").click();
      browser.picture("digits-light-phone", 390, 1500, true);
      assertFitsWidth(browser);
      assertNoErrors(browser);
    }
  }

  @Test
  void theKeyboardDraws() {
    try (Running running = new Running(300, folder.resolve("checkpoints"));
        Browser browser = new Browser(folder.resolve("profile"))) {
      browser.resize(1300, 1000);
      browser.driver.get(running.address());
      browser.awaitTrue("connection", () -> browser.text("connection").equals("connected"));
      WebElement pad = browser.element("pad");
      pad.sendKeys(Keys.ARROW_UP.toString().repeat(9));
      pad.sendKeys(Keys.SPACE);
      pad.sendKeys(Keys.ARROW_DOWN.toString().repeat(18));
      browser.awaitTrue("a one is recognised", () -> browser.text("best").equals("1"));
      pad.sendKeys(Keys.DELETE);
      browser.awaitTrue("the pad is empty", () -> browser.text("best").isEmpty());
      browser.element("tab-digits").sendKeys(Keys.ARROW_RIGHT);
      assertTrue(browser.element("panel-recommender").isDisplayed());
      assertFalse(browser.element("panel-digits").isDisplayed());
      assertNotEquals("-1", browser.element("tab-recommender").getDomAttribute("tabindex"));
      assertNoErrors(browser);
    }
  }

  @Test
  void recommendationsFollowTastes() {
    try (Running running = new Running(0, folder.resolve("checkpoints"));
        Browser browser = new Browser(folder.resolve("profile"))) {
      browser.resize(1300, 1000);
      browser.driver.get(running.address());
      browser.awaitTrue("connection", () -> browser.text("connection").equals("connected"));
      browser.element("tab-recommender").click();
      browser.element("choices-running").click();
      browser.awaitTrue("the table learns", () -> running.recommender.hitRate().orElse(0) > 0.5);
      browser.element("choices-learning").click();
      browser.awaitTrue("learning is off", () -> !running.recommender.plan().learning());
      long aged = running.recommender.choices() + 20_000;
      browser.awaitTrue("tastes change", () -> running.recommender.choices() > aged);
      browser.driver.findElement(By.cssSelector("#user-form button")).click();
      browser.awaitTrue(
          "ten items",
          () -> browser.driver.findElements(By.cssSelector("#recommended li")).size() == 10);
      browser.picture("recommender-light", 1300, 760, false);
      browser.picture("recommender-phone", 390, 1500, true);
      assertFitsWidth(browser);
      assertNoErrors(browser);
    }
  }

  private static void teach(Browser browser, String label) {
    browser
        .driver
        .findElement(By.cssSelector(".class[aria-label^='Teach %s,']".formatted(label)))
        .click();
  }

  /// The shown probability of a class, in percent.
  private static double share(Browser browser, String label) {
    String text =
        browser
            .driver
            .findElement(By.cssSelector(".class[aria-label^='Teach %s,'] .share".formatted(label)))
            .getText();
    return Double.parseDouble(text.replace("%", "").strip());
  }

  private static void assertFitsWidth(Browser browser) {
    Object overhang =
        browser.driver.executeScript(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth");
    assertEquals(0L, overhang, "the page is wider than the window");
  }

  private static void assertNoErrors(Browser browser) {
    List<LogEntry> errors =
        browser.driver.manage().logs().get(LogType.BROWSER).getAll().stream()
            .filter(each -> each.getLevel().intValue() >= Level.WARNING.intValue())
            .toList();
    assertEquals(List.of(), errors);
  }
}
