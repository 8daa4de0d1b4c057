"""What models, providers, endpoints and prices there are, as checked data."""
