"""Files that prove who owns the custom domain: `GET /WW_verify_*.txt`, `GET /MP_verify_*.txt`."""

from parley.engine.domain import DomainFiles

lambda_handler = DomainFiles()
