refchain why story.rch TCPTransport --known story.known --format sarif
