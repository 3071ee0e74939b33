refchain top hostile.rch --by dominator
