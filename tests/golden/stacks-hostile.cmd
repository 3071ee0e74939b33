refchain stacks hostile.rch --locals
