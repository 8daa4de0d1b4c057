"""OpenAI and Ark Responses: ``/v1/responses`` and ``/api/v3/responses``."""
