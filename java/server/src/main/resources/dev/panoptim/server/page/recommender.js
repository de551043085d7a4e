// The tab "Recommender".

import { get, post } from "./api.js";
import { Chart } from "./chart.js";
import { byId, say } from "./dom.js";
import { Figures } from "./figures.js";
import { bytes, number, percent } from "./format.js";

const FIGURES = [
  ["Hit rate", (f) => (f.hitRate === null ? "–" : percent(f.hitRate))],
  ["Choices", (f) => f.count.toLocaleString("en")],
  ["Choices/s", (f) => number(f.perSecond)],
  ["Steps", (f) => f.steps.toLocaleString("en")],
  ["Rows", (f) => f.rows.toLocaleString("en")],
  ["Table", (f) => bytes(f.bytes)],
];

// Two minutes.
const KEPT = 480;

export class Recommender {
  #figures = new Figures(byId("choice-figures"), FIGURES);
  #shownPlan = "";
  #chart = new Chart(byId("chart-hits"), {
    name: "Hit rate, with and without learning",
    series: ["--first", "--second"],
    format: percent,
    least: 0,
    most: 1,
    kept: KEPT,
  });

  constructor() {
    for (const id of ["choices-running", "choices-learning", "choices-rate"]) {
      byId(id).addEventListener("change", () => this.#changePlan());
    }
    byId("choices-rate").addEventListener("input", (event) => (byId("choices-rate-value").value = event.target.value));
    byId("user-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#recommend();
    });
  }

  redraw() {
    this.#chart.draw();
  }

  async #changePlan() {
    try {
      const plan = await post("choices", {
        running: byId("choices-running").checked,
        learning: byId("choices-learning").checked,
        rate: Number(byId("choices-rate").value),
      });
      const learning = plan.learning ? "the table learns" : "the table does not learn";
      say(byId("choices-message"), plan.running ? `Users choose, ${learning}.` : "Users do not choose.");
    } catch (problem) {
      say(byId("choices-message"), problem.message, true);
    }
  }

  async #recommend() {
    try {
      const answer = await get(`recommend?user=${encodeURIComponent(byId("user").value)}`);
      byId("tastes").textContent = `User ${answer.user} likes ${answer.tastes[0]} most, then ${answer.tastes[1]}.`;
      byId("recommended").replaceChildren(...answer.items.map((item) => {
        const line = document.createElement("li");
        const isLiked = item.genre === answer.tastes[0];
        line.className = isLiked ? "liked" : "";
        line.textContent = `${item.genre} no. ${item.item}${isLiked ? ", liked" : ""}`;
        return line;
      }));
      say(byId("user-message"), "");
    } catch (problem) {
      say(byId("user-message"), problem.message, true);
    }
  }

  // Shows a set of live figures.
  update(f) {
    this.#figures.show(f);
    if (f.plan.running) {
      this.#chart.add(f.plan.learning ? f.hitRate : null, f.plan.learning ? null : f.hitRate);
    }
    const shown = JSON.stringify(f.plan);
    if (shown !== this.#shownPlan) {
      this.#shownPlan = shown;
      byId("choices-running").checked = f.plan.running;
      byId("choices-learning").checked = f.plan.learning;
      byId("choices-rate").value = f.plan.rate;
      byId("choices-rate-value").value = f.plan.rate;
    }
  }
}
