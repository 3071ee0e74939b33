refchain graph story.rch Connections
