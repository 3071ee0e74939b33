refchain stacks hang.rch --thread nobody
