// The tab "Digits".

import { get, post } from "./api.js";
import { Chart } from "./chart.js";
import { byId, say } from "./dom.js";
import { Figures } from "./figures.js";
import { bytes, millis, number, percent } from "./format.js";
import { Pad } from "./pad.js";

const FIGURES = [
  ["Accuracy", (f) => (f.accuracy === null ? "–" : percent(f.accuracy))],
  ["Loss", (f) => (f.loss === null ? "–" : number(f.loss))],
  ["Steps", (f) => f.steps.toLocaleString("en")],
  ["Steps/s", (f) => number(f.stepsPerSecond)],
  ["Requests/s", (f) => number(f.requestsPerSecond)],
  ["Predictions/s", (f) => number(f.predictionsPerSecond)],
  ["p50", (f) => millis(f.p50)],
  ["p99", (f) => millis(f.p99)],
  ["Publications", (f) => f.publications.toLocaleString("en")],
  ["Not published", (f) => f.skippedPublications.toLocaleString("en")],
  ["Skipped steps", (f) => f.skippedSteps.toLocaleString("en")],
  ["Torn reads", (f) => f.tornPredictions.toLocaleString("en")],
  ["Off-heap", (f) => bytes(f.offHeap)],
  ["Waiting", (f) => f.waiting.toLocaleString("en")],
];

// The number in a field. JSON has no NaN, and would send null instead.
function entered(field, name) {
  const value = Number(field.value.trim());
  if (!Number.isFinite(value)) {
    throw new Error(`${name} must be a number, with a point before decimals.`);
  }
  return value;
}

// Runs an action of the user and shows the server's sentence if it is refused.
async function attempt(element, action) {
  try {
    const text = await action();
    if (text) {
      say(element, text);
    }
  } catch (problem) {
    say(element, problem.message, true);
  }
}

export class Digits {
  #pad = new Pad(byId("pad"), () => this.#ask());
  #rows = new Map();
  #asking = false;
  #again = false;
  #figures = new Figures(byId("figures"), FIGURES);
  #shownSettings = "";
  #shownUsers = "";
  #charts = {
    accuracy: new Chart(byId("chart-accuracy"),
        { name: "Accuracy of the last 200 drawings", series: ["--first"], format: percent, least: 0, most: 1 }),
    loss: new Chart(byId("chart-loss"), { name: "Loss of lessons", series: ["--first"], format: number }),
    latency: new Chart(byId("chart-latency"),
        { name: "Prediction, p50 and p99 in milliseconds", series: ["--first", "--second"], format: number }),
    rates: new Chart(byId("chart-rates"),
        { name: "Steps and requests in a second", series: ["--first", "--second"], format: number }),
  };

  constructor() {
    byId("clear").addEventListener("click", () => this.#pad.clear());
    byId("sample").addEventListener("click", () => this.#sample());
    byId("add-class").addEventListener("submit", (event) => this.#addClass(event));
    byId("optimizer").addEventListener("submit", (event) => this.#changeOptimizer(event));
    byId("kind").addEventListener("change", () => this.#suggestRate());
    for (const id of ["users-running", "users-teaching", "users-rate"]) {
      byId(id).addEventListener("change", () => this.#changeUsers());
    }
    byId("users-rate").addEventListener("input", (event) => (byId("users-rate-value").value = event.target.value));
    byId("save").addEventListener("click", () => this.#checkpoint("checkpoint", "Saved"));
    byId("restore").addEventListener("click", () => this.#checkpoint("restore", "Back at"));
  }

  redraw() {
    this.#pad.draw();
    Object.values(this.#charts).forEach((chart) => chart.draw());
  }

  // Asks for a prediction; while one is under way, remembers to ask again for the newest strokes.
  async #ask() {
    if (this.#asking) {
      this.#again = true;
      return;
    }
    this.#asking = true;
    try {
      do {
        this.#again = false;
        if (this.#pad.strokes.length === 0) {
          this.#showNothing();
        } else {
          this.#show(await post("predict", { strokes: this.#pad.strokes, image: true }));
        }
      } while (this.#again);
    } catch (problem) {
      say(byId("lesson"), problem.message, true);
    } finally {
      this.#asking = false;
    }
  }

  #showNothing() {
    byId("best").value = "";
    byId("version").textContent = "";
    byId("sees").getContext("2d").clearRect(0, 0, 28, 28);
    for (const row of this.#rows.values()) {
      row.set(0, false);
    }
  }

  #show(answer) {
    this.#labels(answer.labels);
    answer.labels.forEach((label, i) => {
      this.#rows.get(label).set(answer.probabilities[i], label === answer.best);
    });
    if (byId("best").value !== answer.best) {
      byId("best").value = answer.best;
    }
    const [optimizer, step] = answer.version.split(".").map(Number);
    const which = optimizer === 0 ? "" : ` of optimizer no. ${optimizer + 1}`;
    byId("version").textContent = `Parameters of step ${step}${which}.`;
    const image = new ImageData(28, 28);
    answer.pixels.forEach((grey, i) => image.data.set([grey, grey, grey, 255], 4 * i));
    byId("sees").getContext("2d").putImageData(image, 0, 0);
  }

  #labels(labels) {
    if (labels.length === this.#rows.size && labels.every((label) => this.#rows.has(label))) {
      return;
    }
    this.#rows = new Map(labels.map((label) => [label, new Row(label, () => this.#teach(label))]));
    byId("classes").replaceChildren(...[...this.#rows.values()].map((row) => row.element));
  }

  async #teach(label) {
    await attempt(byId("lesson"), async () => {
      if (this.#pad.strokes.length === 0) {
        throw new Error("Draw something first.");
      }
      const taught = await post("teach", { strokes: this.#pad.strokes, label, image: true });
      const before = this.#rows.get(label).share;
      this.#show(taught.after);
      const after = this.#rows.get(label).share;
      return taught.skipped
          ? "The step was skipped: a gradient was not finite."
          : `One step: “${label}” went from ${percent(before)} to ${percent(after)}.`;
    });
  }

  async #sample() {
    await attempt(byId("lesson"), async () => {
      const digit = byId("sample-digit").value;
      this.#pad.set((await get(`sample?digit=${digit}`)).strokes);
      return `The server drew a ${digit}.`;
    });
  }

  async #addClass(event) {
    event.preventDefault();
    await attempt(byId("lesson"), async () => {
      const label = byId("new-label").value.trim();
      const added = await post("classes", { label });
      byId("new-label").value = "";
      this.#labels(added.labels);
      this.#ask();
      return `“${label}” is new. Draw it, and choose it a few times.`;
    });
  }

  #suggestRate() {
    byId("rate").value = byId("kind").selectedOptions[0].dataset.rate;
  }

  async #changeOptimizer(event) {
    event.preventDefault();
    await attempt(byId("controls-message"), async () => {
      const hasClip = byId("clip").value.trim() !== "";
      const settings = await post("optimizer", {
        kind: byId("kind").value,
        learningRate: entered(byId("rate"), "The learning rate"),
        clipGradNorm: hasClip ? entered(byId("clip"), "The norm") : null,
      });
      this.#ask();
      return `The optimizer is now ${settings.title}.`;
    });
  }

  async #changeUsers() {
    await attempt(byId("controls-message"), async () => {
      const plan = await post("users", {
        running: byId("users-running").checked,
        teaching: byId("users-teaching").checked,
        rate: Number(byId("users-rate").value),
      });
      return plan.running ? `Users make ${plan.rate} drawings in a second.` : "Users do not draw.";
    });
  }

  async #checkpoint(path, verb) {
    await attempt(byId("controls-message"), async () => {
      const { file } = await post(path, {});
      this.#ask();
      return `${verb} ${file}.`;
    });
  }

  // Shows a set of live figures.
  update(f) {
    this.#figures.show(f);
    this.#charts.accuracy.add(f.accuracy);
    this.#charts.loss.add(f.loss);
    this.#charts.latency.add(f.p50, f.p99);
    this.#charts.rates.add(f.stepsPerSecond, f.requestsPerSecond);
    this.#labels(f.labels);
    byId("degrees").textContent = `${Math.round(f.degrees)}°`;
    byId("checkpoints").textContent = f.checkpoints.length === 0
        ? "None yet."
        : `${f.checkpoints.length} kept, the newest is ${f.checkpoints.at(-1)}.`;
    this.#showSettings(f);
    this.#showUsers(f.users);
    if (f.users.running && this.#pad.strokes.length > 0) {
      // The answer to the drawing changes with each step.
      this.#ask();
    }
  }

  // Fills the form when the settings have changed, not while the user edits it.
  #showSettings(f) {
    const shown = JSON.stringify(f.settings);
    if (shown === this.#shownSettings) {
      return;
    }
    this.#shownSettings = shown;
    if (byId("kind").options.length === 0) {
      byId("kind").append(...f.kinds.map((kind) => {
        const option = new Option(kind.title, kind.id);
        option.dataset.rate = kind.learningRate;
        return option;
      }));
    }
    byId("kind").value = f.settings.kind;
    byId("rate").value = f.settings.learningRate;
    byId("clip").value = f.settings.clipGradNorm ?? "";
    byId("optimizer-now").textContent = `${f.settings.title}, ${f.settings.learningRate}`
        + (f.settings.clipGradNorm === null ? "" : `, norm at most ${f.settings.clipGradNorm}`);
  }

  #showUsers(plan) {
    const shown = JSON.stringify(plan);
    if (shown !== this.#shownUsers) {
      this.#shownUsers = shown;
      byId("users-running").checked = plan.running;
      byId("users-teaching").checked = plan.teaching;
      byId("users-rate").value = plan.rate;
      byId("users-rate-value").value = plan.rate;
    }
  }
}

// A class: its label, its probability, and the button that teaches it.
class Row {
  share = 0;
  element = document.createElement("li");
  #button = document.createElement("button");
  #label;
  #text = document.createElement("span");

  constructor(label, onTeach) {
    this.#label = label;
    const name = document.createElement("span");
    const bar = document.createElement("span");
    name.textContent = label;
    bar.className = "bar";
    this.#text.className = "share";
    this.#button.type = "button";
    this.#button.className = "class";
    this.#button.append(name, bar, this.#text);
    this.#button.addEventListener("click", onTeach);
    this.element.append(this.#button);
    this.set(0, false);
  }

  set(share, isBest) {
    this.share = share;
    this.#button.style.setProperty("--share", share);
    this.#button.classList.toggle("best-class", isBest);
    this.#text.textContent = percent(share);
    this.#button.setAttribute("aria-label", `Teach ${this.#label}, now ${percent(share)}`);
  }
}
