refchain what-if story.rch --cut minimq.pools.conections
