refchain what-if --help
