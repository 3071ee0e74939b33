refchain what-if story.rch --cut minimq.pool.connections
