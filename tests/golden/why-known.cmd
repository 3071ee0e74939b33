refchain why story.rch TCPTransport --known story.known --fail-on-new
