"""The stages joined: plan, one shard through all of them, resume, and a look at the result."""
