refchain stacks hang.rch --json --locals
