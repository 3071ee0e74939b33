refchain graph hostile.rch Leak
