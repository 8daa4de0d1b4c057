"""OpenAI embeddings: ``/v1/embeddings`` and Ark's text embeddings at ``/api/v3/embeddings``."""
