"""Feishu and Lark: one protocol on two hosts."""
