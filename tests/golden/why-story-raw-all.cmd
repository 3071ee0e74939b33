refchain why --raw --all story.rch TCPTransport
