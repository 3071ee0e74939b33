refchain why story.rch 0x10000
