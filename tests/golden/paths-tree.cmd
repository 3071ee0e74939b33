refchain paths loops.rch Node
