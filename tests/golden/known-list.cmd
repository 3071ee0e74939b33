refchain known list -f story.known
