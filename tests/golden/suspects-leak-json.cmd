refchain suspects leak.rch --json
