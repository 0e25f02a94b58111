// What the page knows. Whoever changes it calls `changed` with what it was; whoever shows it subscribes.

export const state = {
  platforms: [],
  stack: { state: "ready" },
  lost: false,
  platform: "",
  app: "",
  person: "",
  room: "",
  messages: [],
  commands: [],
  unread: new Map(),
  opened: "",
  answering: null,
};

const subscribers = new Map();

export function on(kinds, listener) {
  for (const kind of kinds.split(" ")) subscribers.set(kind, [...(subscribers.get(kind) || []), listener]);
}

export function changed(kind, value) {
  for (const listener of subscribers.get(kind) || []) listener(value);
}

export const platform = () => state.platforms.find((one) => one.name === state.platform);
export const person = () => platform()?.persons.find((one) => one.id === state.person);
export const room = () => platform()?.rooms.find((one) => one.id === state.room);

// The rooms that the person sees: direct chats with the bot of this app, then groups.
export function roomsOfPerson() {
  const all = platform()?.rooms || [];
  const direct = all.filter((one) => one.kind === "private" && one.members.includes(state.person) && one.bots.includes(state.app));
  return [...direct, ...all.filter((one) => one.kind === "group" && one.members.includes(state.person))];
}

const KEY = "parley.place";

export function remember() {
  try {
    localStorage.setItem(KEY, JSON.stringify([state.platform, state.app, state.person, state.room]));
  } catch {
    // Nothing is remembered then.
  }
}

export function recallPlace() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
}
