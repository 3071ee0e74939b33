refchain diff story.rch story-later.rch --json
