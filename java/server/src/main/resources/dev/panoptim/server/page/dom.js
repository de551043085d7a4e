// Elements of the page.

export const byId = (id) => document.getElementById(id);

// Shows a sentence in an element that screen readers announce.
export function say(element, text, isBad = false) {
  element.textContent = text;
  element.classList.toggle("bad", isBad);
}
