refchain diff story.rch story-later.rch --by identity
