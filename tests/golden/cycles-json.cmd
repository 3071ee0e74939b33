refchain cycles loops.rch Closer --garbage --json
