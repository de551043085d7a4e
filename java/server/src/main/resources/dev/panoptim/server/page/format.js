// Numbers for readers.

export const percent = (value) => `${(value * 100).toFixed(value < 0.0995 || value > 0.9994 ? 1 : 0)} %`;

export function number(value) {
  if (value !== 0 && Math.abs(value) < 0.01) {
    return value.toPrecision(2);
  }
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString("en");
}

export const millis = (value) => `${number(value)} ms`;

export const bytes = (value) => `${number(value / 1e6)} MB`;
