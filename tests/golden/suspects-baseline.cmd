refchain suspects leak.rch --baseline story.rch
