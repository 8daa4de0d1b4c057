"""Sorts of work. Translation between interfaces stays within a kind."""

from enum import StrEnum


class Kind(StrEnum):
    CHAT = "chat"
    EMBEDDING = "embedding"
    IMAGE = "image"
    VIDEO = "video"
    MODEL_3D = "3d"
