// The control API of the playground.

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch {
    throw new Error("the playground does not respond");
  }
  const value = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(value.error || `HTTP ${response.status}`);
  return value;
}

const post = (path, body) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const id = encodeURIComponent;

export const commands = (platform, app) => request(`/api/commands?platform=${id(platform)}&app=${id(app)}`);
export const rooms = () => request("/api/rooms");
export const messages = (platform, room) => request(`/api/messages?platform=${id(platform)}&room=${id(room)}`);
export const outcomes = (platform, room) => request(`/api/outcomes?platform=${id(platform)}&room=${id(room)}`);
export const state = (platform, app, room) => request(`/api/state?platform=${id(platform)}&app=${id(app)}&room=${id(room)}`);
export const logs = (since) => request(`/api/logs${since === undefined ? "" : `?since=${since}`}`);
export const charts = () => request("/api/charts");
export const trace = (message) => request(`/api/trace/${id(message)}`);
export const sendMessage = (body) => post("/api/messages", body);
export const press = (body) => post("/api/press", body);
export const emitEvent = (body) => post("/api/events", body);
export const challenge = (body) => post("/api/challenge", body);
export const deliver = (body) => post("/api/deliver", body);
export const addFault = (body) => post("/api/faults", body);
export const clearFaults = (platform) => request(`/api/faults?platform=${id(platform)}`, { method: "DELETE" });
export const media = (platform, key) => `/api/media/${id(platform)}/${id(key)}`;

// Live updates: `listen(kind, value)` is called for each. The kinds `hello` and `lost` say whether there is a connection.
export function live(listen) {
  const source = new EventSource("/api/stream");
  for (const kind of ["hello", "message", "delivery", "call", "toast", "modal", "stack", "reload", "faults"]) {
    source.addEventListener(kind, (event) => listen(kind, JSON.parse(event.data)));
  }
  source.addEventListener("error", () => listen("lost", {}));
}
