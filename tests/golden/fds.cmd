refchain fds fds.rch
