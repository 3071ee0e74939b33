refchain fds fds.rch --why --limit 2
