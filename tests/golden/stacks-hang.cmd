refchain stacks hang.rch
