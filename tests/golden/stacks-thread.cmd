refchain stacks hang.rch -t worker
