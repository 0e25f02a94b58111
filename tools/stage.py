"""The stage whose configuration a tool reads in SSM: one on AWS, or the local stack."""

import os

from tools.local import StackError, running


def use_stage(stage: str) -> None:
    """Let this process read the configuration of `stage`, or of the local stack if it is empty.

    Raises StackError if there is no local stack.
    """
    if stage:
        os.environ["PARLEY_STAGE"] = stage
        return
    facts = running()
    if facts is None:
        raise StackError("no local stack is running: start one with `make run`, or name a --stage")
    os.environ |= {
        "PARLEY_STAGE": facts["stage"],
        "AWS_ENDPOINT_URL": facts["aws_endpoint"],
        "AWS_DEFAULT_REGION": facts["region"],
        "AWS_ACCESS_KEY_ID": facts["account"],
        "AWS_SECRET_ACCESS_KEY": facts["account"],
    }
