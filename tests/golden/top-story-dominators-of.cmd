refchain top story.rch 'minimq.*' --by dominator
