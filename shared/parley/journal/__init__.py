"""The journal: the decision on each message, and the delivery of each reply, in DynamoDB."""
