// A pad to draw on, by pointer or keyboard. Strokes are lists of points [x, y] from 0 to 1.

const LEAST_DISTANCE = 0.008;
const MOST_POINTS = 1900;
const MOST_STROKES = 60;
const KEY_STEP = 0.04;
const FINE_STEP = 0.01;

const MOVES = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export class Pad {
  strokes = [];
  #canvas;
  #onChange;
  #drawing = false;
  #pen = [0.5, 0.5];
  #byKeyboard = false;
  #penDown = false;

  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.#onChange = onChange;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, () => (this.#drawing = false));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => {
      this.#byKeyboard = false;
      this.draw();
    });
    this.draw();
  }

  set(strokes) {
    this.strokes = strokes;
    this.#penDown = false;
    this.#changed();
  }

  clear() {
    this.set([]);
  }

  #changed() {
    this.draw();
    this.#onChange(this.strokes);
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    const inside = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e4) / 1e4;
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }

  #isFull() {
    return this.strokes.length > MOST_STROKES
        || this.strokes.reduce((sum, stroke) => sum + stroke.length, 0) > MOST_POINTS;
  }

  #begin(point) {
    if (!this.#isFull()) {
      this.strokes = [...this.strokes, [point]];
      this.#changed();
    }
  }

  #extend(point) {
    const stroke = this.strokes.at(-1);
    const last = stroke?.at(-1);
    if (last && !this.#isFull() && Math.hypot(point[0] - last[0], point[1] - last[1]) >= LEAST_DISTANCE) {
      stroke.push(point);
      this.#changed();
    }
  }

  #down(event) {
    if (event.button !== 0) {
      return;
    }
    this.#canvas.setPointerCapture(event.pointerId);
    this.#byKeyboard = false;
    this.#penDown = false;
    this.#drawing = true;
    this.#begin(this.#place(event));
  }

  #move(event) {
    if (this.#drawing) {
      for (const each of event.getCoalescedEvents?.() ?? [event]) {
        this.#extend(this.#place(each));
      }
    }
  }

  #key(event) {
    const move = MOVES[event.key];
    if (move) {
      const step = event.shiftKey ? FINE_STEP : KEY_STEP;
      this.#pen = this.#pen.map((value, i) => Math.min(1, Math.max(0, value + step * move[i])));
      if (this.#penDown) {
        this.#extend([...this.#pen]);
      }
    } else if (event.key === " ") {
      this.#penDown = !this.#penDown;
      if (this.#penDown) {
        this.#begin([...this.#pen]);
      }
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
    this.#byKeyboard = true;
    this.draw();
  }

  draw() {
    const context = this.#canvas.getContext("2d");
    const side = this.#canvas.width;
    const colors = getComputedStyle(this.#canvas);
    context.clearRect(0, 0, side, side);
    context.strokeStyle = colors.getPropertyValue("--ink");
    context.lineWidth = side * 0.055;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      for (const [x, y] of stroke.length > 1 ? stroke.slice(1) : stroke) {
        context.lineTo(x * side, y * side);
      }
      context.stroke();
    }
    if (this.#byKeyboard) {
      context.strokeStyle = colors.getPropertyValue("--second");
      context.lineWidth = this.#penDown ? 8 : 3;
      context.beginPath();
      context.arc(this.#pen[0] * side, this.#pen[1] * side, 16, 0, 2 * Math.PI);
      context.stroke();
    }
  }
}
