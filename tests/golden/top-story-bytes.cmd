refchain top story.rch --sort bytes --limit 3
