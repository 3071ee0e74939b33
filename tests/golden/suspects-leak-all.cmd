refchain suspects leak.rch --all
