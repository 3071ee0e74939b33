refchain stacks story.rch
