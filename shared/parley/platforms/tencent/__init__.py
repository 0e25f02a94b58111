"""What WeCom and WeChat Official Accounts share. Not a platform of its own.

Both have the same envelope around callbacks, the same fields of messages and events, the same passive replies, and an
`errcode` in the answers of their APIs.
"""
