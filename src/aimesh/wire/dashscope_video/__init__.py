"""DashScope video: ``/api/v1/services/aigc/video-generation/video-synthesis`` and ``/api/v1/tasks``."""
