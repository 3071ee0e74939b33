refchain stacks hang.rch --locals --limit 2
