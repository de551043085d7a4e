// Named figures in a list of definitions.

export class Figures {
  #shown = new Map();

  // `figures`: pairs of a name and a function from the server's figures to a text.
  constructor(list, figures) {
    for (const [name, text] of figures) {
      const group = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = name;
      group.append(term, value);
      list.append(group);
      this.#shown.set(value, text);
    }
  }

  show(now) {
    for (const [value, text] of this.#shown) {
      value.textContent = text(now);
    }
  }
}
