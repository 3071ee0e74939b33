refchain suspects story.rch
