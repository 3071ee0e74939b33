refchain paths loops.rch 0x10280 --exclude Node.children --exclude-root frame
