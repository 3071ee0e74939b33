refchain graph --refs --raw story.rch minimq.pools.Connections
