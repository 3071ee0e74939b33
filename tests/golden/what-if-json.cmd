refchain what-if story.rch --cut 'util._afterfork_registry.data <key>[1]' --json
