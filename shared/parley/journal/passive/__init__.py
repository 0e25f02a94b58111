"""Passive replies: the bot's replies in the HTTP response to the callback that delivered the message (WeCom, WeChat).

A platform that accepts them waits a few seconds for the response. Without one it delivers the message again, up to
three times. One message therefore has several callbacks, each in a process of its own, and the response goes out once.

The flow, and where each step is decided:

1. `platforms.tencent.passive` decides which callbacks wait, and for how long (`Accepted.passive_reply_within`).
   `platforms.tencent.passive_rules` holds the rules of each platform.
2. `engine.callback` queues the message with `Context.awaits_reply` set. `engine.passive_replies` then waits for the
   decision on it, by reading the journal.
3. `rules` decides whether it is this message's turn, which replies the response carries, and what happens to the rest.
   `callbacks` stores the response and the new state of each reply in one transaction, before the response is given.
   A later delivery of the same message gets the stored response.
4. `platforms.tencent.passive` writes the response: as many replies as fit. It also makes the deliverer wait
   (`RetryAfter`) while a callback may still carry a fresh reply.
5. If no callback can carry a reply, the deliverer sends it through the API. If the platform refuses that because the
   person has not written lately, `engine.attempt` defers the reply: `deferred` remembers it for the passive reply to
   the person's next message. The deliverer sends deferred replies before later ones.

The bot may hand a press on to a dialogue of the same conversation (`Decided.forwarded`). A callback that comes once
then waits for the replies to that message, and its response carries them.

A platform that polls for the replies (`Accepted.polled`) gets them by the same steps, but no callback waits: until the
replies are decided, a poll gets the answer so far (`Callbacks.grow`), else `Accepted.response`. Then each poll gets the
stored response.
"""

from parley.journal.passive.callbacks import Callbacks, Delivery, NotCommittedError
from parley.journal.passive.deferred import DeferredReplies, TooManyDeferredError
from parley.journal.passive.rules import MAX_CARRIED, MAX_DEFERRED, Part

__all__ = [
    "MAX_CARRIED",
    "MAX_DEFERRED",
    "Callbacks",
    "DeferredReplies",
    "Delivery",
    "NotCommittedError",
    "Part",
    "TooManyDeferredError",
]
