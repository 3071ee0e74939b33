refchain what-if story.rch --cut minimq.pools.connections --cut 'multiprocessing.util._afterfork_registry.data.clear()'
