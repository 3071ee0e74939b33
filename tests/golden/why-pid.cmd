refchain why 4194305 TCPTransport
