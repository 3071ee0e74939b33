refchain what-if story.rch --cut 'pools.connections.data[*]._transport'
