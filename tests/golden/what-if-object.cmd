refchain what-if story.rch --cut 0x10500
