// The times of a trace: the four steps on top, and the list of all events.

import { t } from "/static/js/i18n.js";

export function span(seconds) {
  const ms = seconds * 1000;
  if (ms < 2000) return `+${Math.max(0, Math.round(ms))} ms`;
  return `+${seconds.toFixed(2)} s`;
}

const endOf = (attempt) => attempt.at + attempt.ms / 1000;
const stateAt = (trace, name) => trace.journal?.states.find((one) => one.state === name)?.at;
const hasFailed = (reply) => ["FAILED", "UNKNOWN"].includes(reply.state);

export function steps(trace) {
  const start = trace.delivery.at;
  const accepted = trace.delivery.attempts.find((one) => one.status === 200);
  const decided = stateAt(trace, "DECIDED");
  const replies = trace.journal?.replies || [];
  const sent = replies.filter((one) => one.state === "SENT");
  const allSent = replies.length > 0 && sent.length === replies.length;
  const last = allSent ? Math.max(...sent.map((one) => one.updated)) : undefined;
  const step = (name, tone, at) => ({ name, tone, at: at === undefined ? "…" : span(at - start) });
  const received = step("step.received", accepted ? "done" : trace.delivery.state === "failed" ? "bad" : "", accepted && endOf(accepted));
  const decision = step("step.decided", decided ? "done" : "", decided);
  // The bot may decide before the platform has read the acknowledgement.
  const middle = decided && accepted && decided < endOf(accepted) ? [decision, received] : [received, decision];
  if (trace.failure) {
    const failedAt = trace.failure.at ?? undefined;
    const apology = replies.length ? step("step.apology", "bad", last) : step("step.unanswered", "bad", failedAt);
    return [step("step.sent", "done", start), received, step("step.failed", "bad", failedAt), apology];
  }
  const silent = trace.outcome.kind === "silent";
  return [
    step("step.sent", "done", start),
    ...middle,
    silent ? step("step.silent", "done", decided) : step("step.answered", allSent ? "done" : replies.some(hasFailed) ? "bad" : "", last),
  ];
}

// The error code of a call that an API rejected with a successful HTTP status. The field's name depends on the platform.
export const errorCode = (call) => call.response?.code || call.response?.errcode;

// The status of a call, its error code and its fault, and whether it succeeded.
export function outcome(call) {
  const code = errorCode(call);
  const status = [call.status || t("noAnswer"), code || ""].filter(Boolean).join(" · ");
  return { status, good: call.status >= 200 && call.status < 300 && !code };
}

// All events in order: `{ at, title, detail, tone }`.
export function timeline(trace, sender) {
  const start = trace.delivery.at;
  const decided = stateAt(trace, "DECIDED");
  const replies = trace.journal?.replies || [];
  const list = [
    { when: start, title: t("times.sent", { name: sender }) },
    ...trace.delivery.attempts.map(attemptEvent),
    ...trace.delivery.redeliveries.map(redeliveryEvent),
    ...trace.calls.map(callEvent),
    ...replies.map(replyEvent),
  ];
  if (trace.failure?.at) list.push({ when: trace.failure.at, title: t("times.crashed"), detail: trace.failure.error, tone: "bad" });
  if (decided) list.push({ when: decided, title: t("times.decided"), detail: replies.length === 1 ? t("times.reply1") : t("times.replies", { n: replies.length }), tone: "good" });
  return list.sort((one, other) => one.when - other.when).map((one) => ({ tone: "", ...one, at: span(one.when - start) }));
}

const duration = (attempt) => `${attempt.status || attempt.error} · ${t("took", { ms: attempt.ms })}`;

function attemptEvent(attempt) {
  const good = attempt.status === 200;
  return { when: endOf(attempt), title: t(good ? "times.delivered" : "times.attempt"), detail: duration(attempt), tone: good ? "good" : "bad" };
}

export const redeliveryTitle = (attempt) => (attempt.forged ? t(`forge.${attempt.forged}`) : t("times.redelivered"));

// A genuine redelivery has to be accepted, a forged one rejected.
export const isExpected = (attempt) => (attempt.status === 200) === !attempt.forged;

function redeliveryEvent(attempt) {
  const title = attempt.forged ? t("times.forged", { how: redeliveryTitle(attempt) }) : redeliveryTitle(attempt);
  return { when: endOf(attempt), title, detail: duration(attempt), tone: isExpected(attempt) ? "good" : "bad" };
}

function callEvent(call) {
  const { status, good } = outcome(call);
  const detail = call.fault ? `${status} · ${t("fault", { kind: call.fault })}` : status;
  return { when: call.at, title: `${call.method} ${call.path}`, detail, tone: good ? "" : "bad" };
}

function replyEvent(reply, at) {
  if (reply.state === "SENT") return { when: reply.updated, title: t("times.reply", { n: at + 1 }), tone: "good" };
  const title = t("times.failed", { n: at + 1, state: reply.state });
  return { when: reply.updated, title, detail: reply.reason, tone: hasFailed(reply) ? "bad" : "warn" };
}
