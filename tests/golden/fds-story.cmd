refchain fds story.rch
