refchain paths story.rch Nothing
