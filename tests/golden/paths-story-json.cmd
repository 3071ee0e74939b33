refchain paths story.rch TCPTransport -x _transport --json
