"""WeCom (WeChat Work): internal apps and group robots."""
