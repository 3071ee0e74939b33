refchain cycles loops.rch Node
