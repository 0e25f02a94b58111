"""Logins of persons, by OAuth 2.0: `GET /oauth/{platform}/{app}/start` and `/callback`."""

from parley.engine.oauth import oauth_handler

lambda_handler = oauth_handler()
