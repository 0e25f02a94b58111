// The times in the trace of a message: the four steps on top, and the list of all events.

import { t } from "/static/js/i18n.js";

export function span(seconds) {
  const ms = seconds * 1000;
  if (ms < 2000) return `+${Math.max(0, Math.round(ms))} ms`;
  return `+${seconds.toFixed(2)} s`;
}

const ended = (attempt) => attempt.at + attempt.ms / 1000;
const stateAt = (trace, name) => trace.journal?.states.find((one) => one.state === name)?.at;

export function steps(trace) {
  const start = trace.delivery.at;
  const taken = trace.delivery.attempts.find((one) => one.status === 200);
  const decided = stateAt(trace, "DECIDED");
  const replies = trace.journal?.replies || [];
  const sent = replies.filter((one) => one.state === "SENT");
  const broken = replies.some((one) => ["FAILED", "UNKNOWN"].includes(one.state));
  const all = replies.length > 0 && sent.length === replies.length;
  const last = all ? Math.max(...sent.map((one) => one.updated)) : undefined;
  const step = (name, how, at) => ({ name, how, at: at === undefined ? "…" : span(at - start) });
  const silent = decided !== undefined && replies.length === 0;
  const received = step("step.received", taken ? "done" : trace.delivery.state === "failed" ? "bad" : "", taken && ended(taken));
  const chosen = step("step.decided", decided ? "done" : "", decided);
  // The bot may be done before the platform has read the acknowledgement.
  const middle = decided && taken && decided < ended(taken) ? [chosen, received] : [received, chosen];
  return [
    step("step.sent", "done", start),
    ...middle,
    silent ? step("step.silent", "done", decided) : step("step.answered", all ? "done" : broken ? "bad" : "", last),
  ];
}

// The code by which an API refused a call within a good HTTP status; each platform has its own name for it.
export const refusal = (call) => call.response?.code || call.response?.errcode;

export function events(trace, sender) {
  const start = trace.delivery.at;
  const list = [{ when: start, title: t("times.said", { name: sender }) }];
  for (const one of trace.delivery.attempts) {
    const good = one.status === 200;
    list.push({ when: ended(one), title: t(good ? "times.delivered" : "times.attempt"), detail: `${one.status || one.error} · ${t("took", { ms: one.ms })}`, tone: good ? "good" : "bad" });
  }
  for (const one of trace.delivery.redeliveries) {
    const title = one.forged ? t("times.forged", { how: t(`forge.${one.forged}`) }) : t("times.again");
    const good = (one.status === 200) === !one.forged;
    list.push({ when: ended(one), title, detail: `${one.status || one.error} · ${t("took", { ms: one.ms })}`, tone: good ? "good" : "bad" });
  }
  const decided = stateAt(trace, "DECIDED");
  const replies = trace.journal?.replies || [];
  if (decided) list.push({ when: decided, title: t("times.decided"), detail: replies.length === 1 ? t("times.reply1") : t("times.repliesCount", { n: replies.length }), tone: "good" });
  for (const call of trace.calls) {
    const refused = refusal(call);
    const good = call.status >= 200 && call.status < 300 && !refused;
    const result = [call.status || t("noAnswer"), refused || "", call.fault ? t("fault", { kind: call.fault }) : ""].filter(Boolean).join(" · ");
    list.push({ when: call.at, title: `${call.method} ${call.path}`, detail: result, tone: good ? "" : "bad" });
  }
  replies.forEach((reply, at) => {
    if (reply.state === "SENT") list.push({ when: reply.updated, title: t("times.sent", { n: at + 1 }), tone: "good" });
    else list.push({ when: reply.updated, title: t("times.failed", { n: at + 1, state: reply.state }), detail: reply.reason, tone: ["FAILED", "UNKNOWN"].includes(reply.state) ? "bad" : "warn" });
  });
  return list.sort((one, other) => one.when - other.when).map((one) => ({ tone: "", ...one, at: span(one.when - start) }));
}
