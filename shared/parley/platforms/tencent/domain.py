"""Verification files, by which Tencent's consoles check who owns a domain.

The console offers a file for download and reads it back from the root of the domain: `WW_verify_*.txt` from the console
of WeCom (work.weixin.qq.com), `MP_verify_*.txt` from that of WeChat (mp.weixin.qq.com). It expects the exact content,
with status 200 and without a redirect.
"""

import re

_NAME = re.compile(r"(?:WW|MP)_verify_[A-Za-z0-9]{8,64}\.txt")


def is_verification_file(name: str) -> bool:
    """Whether `name` is the name of a verification file of WeCom or WeChat."""
    return _NAME.fullmatch(name) is not None
