refchain why --help
