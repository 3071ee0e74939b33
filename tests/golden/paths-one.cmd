refchain paths story.rch 0x10600
