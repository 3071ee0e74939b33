refchain graph story.rch TCPTransport
