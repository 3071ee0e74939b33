refchain paths loops.rch 0x10280 -a
