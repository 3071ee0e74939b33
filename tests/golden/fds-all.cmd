refchain fds fds.rch --all
