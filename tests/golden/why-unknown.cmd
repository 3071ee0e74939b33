refchain why story.rch TcpTransprot
