refchain cycles loops.rch
