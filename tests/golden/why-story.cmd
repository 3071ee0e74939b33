refchain why story.rch TCPTransport
