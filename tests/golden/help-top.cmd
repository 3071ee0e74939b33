refchain top --help
