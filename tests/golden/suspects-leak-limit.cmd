refchain suspects leak.rch --limit 1
