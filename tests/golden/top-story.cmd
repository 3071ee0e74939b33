refchain top story.rch --limit 5
