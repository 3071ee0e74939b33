refchain top story.rch --by module
