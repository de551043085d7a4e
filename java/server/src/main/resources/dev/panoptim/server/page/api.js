// Requests to the server. A refused request throws an Error with the server's sentence.

async function answer(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const body = type.startsWith("application/json") ? await response.json() : {};
  if (!response.ok) {
    throw new Error(body.error ?? `the server answered ${response.status}`);
  }
  return body;
}

export async function post(path, body) {
  return answer(await fetch(`api/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }));
}

export async function get(path) {
  return answer(await fetch(`api/${path}`));
}

// Calls back with each set of figures, and when the connection is lost.
export function listen(onFigures, onLost) {
  const source = new EventSource("api/live");
  source.onmessage = (event) => onFigures(JSON.parse(event.data));
  source.onerror = onLost;
}
