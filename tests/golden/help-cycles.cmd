refchain cycles --help
