refchain diff story.rch story.rch --fail-on-new
