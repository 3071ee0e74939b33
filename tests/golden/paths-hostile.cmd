refchain paths hostile.rch Leak
