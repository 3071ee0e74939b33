refchain diff story.rch hostile.rch --all
