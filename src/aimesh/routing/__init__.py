"""Which endpoints may serve a call, and in what order. Pure."""
