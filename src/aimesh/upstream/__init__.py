"""One attempt at one endpoint, and how to authenticate there."""
