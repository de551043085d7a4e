// Numbers for readers.

// A decimal only near 0 and 1, where it tells something.
export function percent(value) {
  const fine = (value > 0 && value < 0.0995) || (value >= 0.995 && value < 1);
  const text = (value * 100).toFixed(fine ? 1 : 0);
  return `${text === "100.0" ? "100" : text} %`;
}

export function number(value) {
  if (value !== 0 && Math.abs(value) < 0.01) {
    return value.toPrecision(2);
  }
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString("en");
}

export const millis = (value) => `${number(value)} ms`;

export const bytes = (value) => `${number(value / 1e6)} MB`;
