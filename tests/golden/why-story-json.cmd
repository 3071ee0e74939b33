refchain why --json story.rch minimq.transport.TCPTransport
