refchain --help
