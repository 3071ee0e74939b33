refchain why story.rch 'socket.*'
