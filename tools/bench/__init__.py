"""`make bench`: the CPU time of cold starts and callbacks, compared with boto3 alone and with other SDKs.

`python -m tools.bench.models` and `python -m tools.bench.ed25519` print the figures of two decisions (docs/decisions).
"""
