"""OpenAI chat completions: ``/v1/chat/completions`` and Ark's ``/api/v3/chat/completions``."""
