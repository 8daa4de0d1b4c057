"""Ark's multimodal embeddings: ``/api/v3/embeddings/multimodal``."""
