// Runs every case of a file, one after the other, and prints one JSON line for each: {name, error}.
// Where the gateway and the simulator are comes from the environment: LIVE_URL, LIVE_KEY, LIVE_SIMULATOR.

export const url = process.env.LIVE_URL;
export const key = process.env.LIVE_KEY;
const simulatorUrl = process.env.LIVE_SIMULATOR;

async function control(method, path, body) {
  const answer = await fetch(simulatorUrl + path, { method, body: body && JSON.stringify(body) });
  if (answer.status !== 200) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export const simulator = {
  fault: (kind, members = {}) => control("POST", "/_sim/faults", { kind, ...members }),
  async clear() {
    await control("DELETE", "/_sim/faults");
    await control("DELETE", "/_sim/requests");
  },
  async seen(pathEnd) {
    const { requests } = await control("GET", "/_sim/requests?limit=2000");
    return requests
      .filter((request) => request.method === "POST" && request.path.endsWith(pathEnd))
      .map((request) => ({ ...request, body: JSON.parse(Buffer.from(request.body_base64, "base64")) }));
  },
};

export async function caught(call, kind) {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw new Error(`expected ${kind.name}, got ${error.constructor.name}: ${error.message}`);
  }
  throw new Error(`expected ${kind.name}, got an answer`);
}

export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

export async function runAll(cases) {
  for (const [name, run] of Object.entries(cases)) {
    await simulator.clear();
    let error = null;
    try {
      await run();
    } catch (reason) {
      error = reason?.stack ?? String(reason);
    }
    console.log(JSON.stringify({ name, error }));
  }
  await simulator.clear();
}
