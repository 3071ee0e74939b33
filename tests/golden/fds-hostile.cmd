refchain fds hostile.rch
