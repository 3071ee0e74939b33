refchain graph --svg --backrefs --depth 5 story.rch TCPTransport
