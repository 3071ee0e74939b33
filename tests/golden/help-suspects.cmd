refchain suspects --help
