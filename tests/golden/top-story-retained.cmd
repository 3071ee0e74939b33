refchain top story.rch --sort retained --limit 5
