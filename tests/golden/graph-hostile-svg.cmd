refchain graph --svg hostile.rch Leak
