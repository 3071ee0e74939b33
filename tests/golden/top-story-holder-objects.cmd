refchain top story.rch --by holder --sort objects --limit 4
