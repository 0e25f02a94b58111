"""The limits of the journal: the table of docs/limits.md that holds on every platform."""

QUEUE_RETENTION = 14 * 86_400
"""Seconds for which a queue, or a dead-letter queue, keeps a message: `MessageRetentionPeriod` of the template."""
MAX_REPLIES = 90
"""Replies to one message. A transaction has at most 100 items."""
MAX_REPLY = 350_000
"""Bytes of JSON of one reply. A DynamoDB item holds 400 KB with everything else in it."""
MAX_STATE = 350_000
"""The same for each state: of a conversation, of a person, of an app."""
MAX_DECISION = 3_900_000
"""Bytes of JSON of states and replies together. A transaction takes 4 MB."""
MAX_RESULTS = 100_000
"""Bytes of JSON of all results of `Turn.once` for one message."""
MAX_REMINDERS = 100
"""Reminders of one conversation at a time."""
MAX_APPROVALS = 10
"""Open approvals of one person in one conversation. They are among its reminders."""
MAX_REMINDER = 10_000
"""Bytes of JSON of one reminder. Ten of their messages go into a request to SQS, which takes 1 MiB, and a hundred into
a transaction, which takes 4 MB."""
MAX_AGENDA = 50_000
"""Bytes of JSON of all reminders of a conversation. They are in one DynamoDB item with its state."""
MAX_PLANNED = 6
"""Reminders that one message sets, changes or cancels. A transaction has at most 100 items."""
