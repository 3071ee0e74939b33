refchain top story.rch --by dominator --limit 2 --json
