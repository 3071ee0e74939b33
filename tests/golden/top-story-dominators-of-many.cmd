refchain top story.rch Connections --by dominator
