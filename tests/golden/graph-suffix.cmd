refchain graph story.rch TCPTransport -o picture.jpg
