"""Discord without its Gateway: interactions and webhook events in, its REST API out."""
