"""What any program needs: texts, errors, files and folders written whole. It knows nothing of answers or rules."""
