refchain known --help
