// Whether the messages of the open conversation got an answer, and why not.

import * as api from "/static/js/api.js";
import { icon } from "/static/js/dom.js";
import { label, t } from "/static/js/i18n.js";
import { changed, on, platform, room, state } from "/static/js/state.js";

const EVERY_MS = 600;
const SLOWLY_MS = 4000;
const SOON_MS = 120;
const ATTENTIVE_MS = 60_000;
const UNSETTLED = ["running", "slow", "waiting", "refused"];
const TONES = { crashed: "bad", refused: "bad", failed: "bad", unknown: "bad", waiting: "warn", slow: "warn" };
let timer = 0, attentiveUntil = 0;

export function watchOutcomes() {
  on("place", () => state.outcomes.clear());
  on("messages", soon);
  on("sent delivery call message stack", soon);
}

function soon() {
  attentiveUntil = Date.now() + ATTENTIVE_MS;
  clearTimeout(timer);
  timer = setTimeout(read, SOON_MS);
}

async function read() {
  const { platform: name, room: id } = state;
  if (!id) return;
  const { outcomes } = await api.outcomes(name, id).catch(() => ({ outcomes: {} }));
  if (name !== state.platform || id !== state.room) return;
  for (const [message, found] of Object.entries(outcomes)) {
    const before = state.outcomes.get(message);
    if (before?.kind === found.kind && before.reason === found.reason) continue;
    state.outcomes.set(message, found);
    changed("outcome", message);
  }
  if (!Object.values(outcomes).some((one) => UNSETTLED.includes(one.kind))) return;
  clearTimeout(timer);
  timer = setTimeout(read, Date.now() < attentiveUntil ? EVERY_MS : SLOWLY_MS);
}

// Why there is no answer, in one sentence: `{ text, tone, icon }`. Null while all is well.
export function why(outcome) {
  if (!outcome || ["running", "answered"].includes(outcome.kind)) return null;
  const { kind, reason } = outcome;
  const tone = TONES[kind] || "";
  const unmentioned = kind === "not_notified" && room()?.kind === "group" && platform()?.features.includes("mention");
  const key = unmentioned ? "unmentioned" : reason || !["waiting", "failed", "unknown"].includes(kind) ? kind : `${kind}_`;
  const text = t(`why.${key}`, { platform: platform() ? label(platform()) : "", reason: reason.replace(/[.。\s]+$/, "") });
  return { text, tone, icon: tone ? () => icon(tone === "bad" ? "alert" : "clock") : null };
}
