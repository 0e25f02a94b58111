"""What WeCom and WeChat Official Accounts have in common: the envelope of callbacks, XML, the shape of messages and
events, passive answers, and the way the API says what went wrong. Not a platform of its own."""
