refchain fds fds.rch --why --json --limit 1
