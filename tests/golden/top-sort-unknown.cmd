refchain top story.rch --sort size
