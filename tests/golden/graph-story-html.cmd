refchain graph --html story.rch TCPTransport
