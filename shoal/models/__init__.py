"""What is kept of a trained model in a file. Imports nothing of shoal but the nouns and errors."""
