refchain why story.rch TCPTransport --known story.known --json
