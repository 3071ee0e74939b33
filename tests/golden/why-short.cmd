refchain why short.rch TCPTransport
