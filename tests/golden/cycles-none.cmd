refchain cycles story.rch
