refchain top story.rch --sort retained --json --limit 3
