refchain paths story.rch TCPTransport
