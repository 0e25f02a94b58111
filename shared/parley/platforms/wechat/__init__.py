"""WeChat Official Accounts: subscription and service accounts."""
