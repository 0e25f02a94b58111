"""Logins of persons: `GET /oauth/{platform}/{app}/start` and `/callback`. Install pages: `GET
/install/{platform}/{app}` and `/done`.
"""

from parley.engine.oauth import oauth_handler

lambda_handler = oauth_handler()
