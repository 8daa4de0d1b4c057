"""DashScope's multimodal embeddings, in the official input shape and in the list shape."""
