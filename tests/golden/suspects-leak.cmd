refchain suspects leak.rch
