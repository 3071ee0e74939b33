refchain top story.rch --by holder
