"""`make demo`: conversations and attacks over real HTTP against the local stack, one printed row each.

A platform's cases are a module of small functions here, and one row in `tools.demo.cases.PLATFORMS`.
"""
