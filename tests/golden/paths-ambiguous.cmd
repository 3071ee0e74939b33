refchain paths story.rch Connections
