"""Modules that WeCom and WeChat Official Accounts share. This package is not a platform.

Both have the same envelope around callbacks, the same fields of messages and events, the same passive replies, and an
`errcode` in the answers of their APIs.
"""
