"""OpenAI images: ``/v1/images/generations``."""
