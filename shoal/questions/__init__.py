"""Questions about single images: alike or not, what is like this one, copies, odd ones."""
