refchain graph story.rch TCPTransporter
