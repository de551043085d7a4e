// A small line chart of the last values of one or more series.

const KEPT = 240;
const LEFT = 46;
const BOTTOM = 6;
const TOP = 8;
const LINES = 2;

export class Chart {
  #canvas;
  #options;
  #series;

  // options: name, series (names of CSS colors), format (number to text), and maybe least and most, the bounds of the
  // axis; without them the axis follows the values.
  constructor(canvas, options) {
    this.#canvas = canvas;
    this.#options = { kept: KEPT, ...options };
    this.#series = options.series.map(() => []);
    canvas.setAttribute("aria-label", `${options.name}: none`);
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  // A value for each series; null where there is none.
  add(...values) {
    values.forEach((value, i) => {
      const series = this.#series[i];
      series.push(value);
      if (series.length > this.#options.kept) {
        series.shift();
      }
    });
    this.draw();
    const last = values.map((value) => (value === null ? "none" : this.#options.format(value)));
    this.#canvas.setAttribute("aria-label", `${this.#options.name}: ${last.join(", ")}`);
  }

  #bounds() {
    const known = this.#series.flat().filter((value) => value !== null);
    const most = this.#options.most ?? (known.length === 0 ? 1 : niceAbove(Math.max(1e-6, ...known)));
    return [this.#options.least ?? 0, most];
  }

  draw() {
    const canvas = this.#canvas;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (width === 0) {
      return;
    }
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const colors = getComputedStyle(canvas);
    const [least, most] = this.#bounds();
    const y = (value) => TOP + (height - TOP - BOTTOM) * (1 - (value - least) / (most - least));
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let i = 0; i <= LINES; i++) {
      const value = least + ((most - least) * i) / LINES;
      context.strokeStyle = colors.getPropertyValue("--line");
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(LEFT, Math.round(y(value)) + 0.5);
      context.lineTo(width, Math.round(y(value)) + 0.5);
      context.stroke();
      context.fillStyle = colors.getPropertyValue("--quiet");
      context.fillText(this.#options.format(value), LEFT - 6, y(value));
    }
    this.#series.forEach((series, i) => {
      context.strokeStyle = colors.getPropertyValue(this.#options.series[i]);
      context.lineWidth = 2;
      context.lineJoin = "round";
      context.beginPath();
      let open = false;
      series.forEach((value, at) => {
        if (value === null) {
          open = false;
          return;
        }
        const place = this.#options.kept - series.length + at;
        const x = LEFT + ((width - LEFT) * place) / (this.#options.kept - 1);
        const clamped = y(Math.min(most, Math.max(least, value)));
        if (open) {
          context.lineTo(x, clamped);
        } else {
          context.moveTo(x, clamped);
        }
        open = true;
      });
      context.stroke();
    });
  }
}

// The least of 1, 2, 5 times a power of ten that is not below a value.
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value * 0.999);
}
