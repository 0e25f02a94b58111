"""How many messages a second a deployment takes, what breaks first, and what to change then: docs/scale.md."""
