"""What any program needs: text, errors, and writing files and folders completely. Independent of answers and rules."""
