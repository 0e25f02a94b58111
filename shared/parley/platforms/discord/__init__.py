"""Discord: interactions, webhook events and events of its Gateway in, its REST API out."""
