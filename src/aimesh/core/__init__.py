"""Values that every room shares. Standard library and msgspec only; no I/O, no clock, no randomness of its own."""
