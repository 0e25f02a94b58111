"""Verification files of WeCom and WeChat: `GET /WW_verify_*.txt`, `GET /MP_verify_*.txt`."""

from parley.engine.domain_files import DomainFiles
from parley.platforms.tencent.domain import is_verification_file

lambda_handler = DomainFiles(is_verification_file)
