refchain why story.rch TCPTransport --known broken.known
