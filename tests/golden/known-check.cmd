refchain known check -f story.known
