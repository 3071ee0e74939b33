refchain stacks --help
