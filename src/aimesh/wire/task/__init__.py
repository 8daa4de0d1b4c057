"""Ark's content generation tasks: Seedance video and 3D, ``/api/v3/contents/generations/tasks``."""
