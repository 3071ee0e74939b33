refchain what-if hang.rch --cut 'local self'
