refchain fds hostile.rch --why --limit 1
