refchain graph --svg story.rch TCPTransport
