refchain why hostile.rch Leak
