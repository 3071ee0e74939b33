refchain graph --help
