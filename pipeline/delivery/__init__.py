"""The push: from the outbox to the receivers, at least once, in order per event, signed.

`messages` builds what a message says, `cloud_events` the body, `signature` the headers; `schedule`
and `breaker` decide when to try again; `post` makes one HTTP exchange; `sender` puts them together.
"""
