refchain top --json story.rch
