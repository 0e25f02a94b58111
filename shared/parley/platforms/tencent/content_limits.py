"""The limits for content that WeCom and WeChat share. WeCom docs: Send application messages; Upload temporary media.
WeChat docs: Customer-service messages; Temporary media.
"""

from parley.adapter import Maximum

MEGABYTE = 1_048_576

TEXT = Maximum(2048, "bytes", "continued")
"""A text in UTF-8. The platforms refuse a longer text, or cut it off without an error."""
IMAGE = Maximum(10 * MEGABYTE, "bytes", "text")
AUDIO = Maximum(2 * MEGABYTE, "bytes", "text")
VIDEO = Maximum(10 * MEGABYTE, "bytes", "text")
