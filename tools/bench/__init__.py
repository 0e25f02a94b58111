"""`make bench`: what a cold start and a callback cost, against boto3 alone and against Feishu's own SDK, lark-oapi.

All on one core, everything that is compared measured in turns, so that the ratios hold on a noisy machine too.
"""
