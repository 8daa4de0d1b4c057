"""The control plane: people, keys, credentials and routes, through the admin API."""
