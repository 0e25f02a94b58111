"""The HTTP channel: a page, an app or a service of the team's own talks to the bot by a REST API."""
