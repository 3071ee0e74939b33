refchain top story.rch --by dominator --limit 6
