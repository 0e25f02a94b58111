// The playground's own control API.

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("the playground does not answer");
  }
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.error || `HTTP ${answer.status}`);
  return value;
}

const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const id = encodeURIComponent;

export const commands = (platform, app) => ask(`/api/commands?platform=${id(platform)}&app=${id(app)}`);
export const rooms = () => ask("/api/rooms");
export const messages = (platform, room) => ask(`/api/messages?platform=${id(platform)}&room=${id(room)}`);
export const trace = (message) => ask(`/api/trace/${id(message)}`);
export const sendMessage = (what) => post("/api/messages", what);
export const press = (what) => post("/api/press", what);
export const emitEvent = (what) => post("/api/events", what);
export const challenge = (what) => post("/api/challenge", what);
export const deliver = (what) => post("/api/deliver", what);
export const addFault = (what) => post("/api/faults", what);
export const clearFaults = (platform) => ask(`/api/faults?platform=${id(platform)}`, { method: "DELETE" });
export const media = (platform, key) => `/api/media/${id(platform)}/${id(key)}`;

// Live updates. `listen(kind, value)` is called for each. The kinds `lost` and `hello` are the state of the connection.
export function live(listen) {
  const source = new EventSource("/api/stream");
  for (const kind of ["hello", "message", "delivery", "call", "toast", "modal", "stack", "reload", "faults"]) {
    source.addEventListener(kind, (event) => listen(kind, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => listen("lost", {}));
}
