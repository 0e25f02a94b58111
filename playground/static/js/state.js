// The state of the page. A module that changes it calls `changed` with the kind of the change; a module that shows it
// subscribes with `on`.

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
  outcomes: new Map(),
  unread: new Map(),
  pane: "",
  traced: "",
  replyingTo: null,
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

// The rooms of the selected person: the direct chat with the bot of the selected app, then groups.
export function roomsOfPerson() {
  const all = platform()?.rooms || [];
  const direct = all.filter((one) => one.kind === "private" && one.members.includes(state.person) && one.bots.includes(state.app));
  return [...direct, ...all.filter((one) => one.kind === "group" && one.members.includes(state.person))];
}

// The name of a message's sender, in the language of the page.
export const senderOf = (message) => platform()?.persons.find((one) => one.id === message?.sender.id);

const KEY = "parley.place";

export function remember() {
  try {
    localStorage.setItem(KEY, JSON.stringify([state.platform, state.app, state.person, state.room]));
  } catch {
    // Without storage, the page opens with the first platform.
  }
}

export function recallPlace() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
}
