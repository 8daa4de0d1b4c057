"""The only room with sockets: an HTTP/1.1 engine on uvloop and httptools. Knows HTTP, nothing of AI."""
