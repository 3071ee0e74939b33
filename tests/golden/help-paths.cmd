refchain paths --help
