refchain why story.rch Connections
