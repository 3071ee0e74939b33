refchain graph --backrefs story.rch TCPTransport
