"""Enqueues overdue replies again, and sends the reminders that are due. It reads the schedules of the bot."""

from parley.engine.sweeper import lambda_handler

__all__ = ["lambda_handler"]
